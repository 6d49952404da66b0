"""Reading no file of a source twice: what the index knows of it is taken from there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from towpath.data.index import Index
from towpath.data.sources.port import Source
from towpath.data.walk import Found
from towpath.digest import Digest, of_bytes, of_file
from towpath.errors import UsageError
from towpath.store import Store

_POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_BYTES = range(126, 1025)  # from the three keys that each must have, for an empty file, to the specification's limit
_EMPTY = of_bytes(b"")


def digest(source: Source, file: Found, index: Index) -> Digest:
    """The digest of a file; it is read only when it looks touched since the last time. Raises as ``fresh`` does."""
    return index.known(file.path, file.marks) or fresh(source, file, index, of_file)[0]


def digests(source: Source, files: Sequence[Found], index: Index) -> Iterator[Digest]:
    """The same of many files."""
    for file, known in zip(files, index.known_all(files), strict=True):
        yield known or fresh(source, file, index, of_file)[0]


def fresh(source: Source, file: Found, index: Index | None, put: Callable[[str], Digest]) -> tuple[Digest, int]:
    """The digest that ``put`` finds, which may keep the bytes too, and how many bytes they are.

    Raises:
        UsageError: it is a pointer of Git LFS.
        Broken, Unavailable: as ``Source.read`` does.
    """

    measured = 0

    def take(path: str) -> Digest:
        nonlocal measured
        measured = file.marks.size if file.marks.size > 0 else os.stat(path).st_size
        refuse_pointer(path, measured, file.name)
        return put(path)

    found, marks = source.read(file, take)
    if index is not None:
        index.learn(file.path, marks, found, read_as=file.marks)
    return found, marks.size if marks.size > 0 else measured


def size(file: Found, found: Digest, store: Store) -> int:
    """How many bytes a file has that was not read: as its source tells, or as the store has them."""
    return file.marks.size if file.marks.size > 0 or found == _EMPTY else store.size(found)


def rows(source: Source, file: Found, found: Digest, index: Index, count: Callable[[Path], int]) -> int:
    """How many rows the table in a file has; they are counted once for the same bytes."""
    if (known := index.rows_known(found)) is not None:
        return known
    return source.read(file, lambda path: index.rows(found, path, count))[0]


def refuse_pointer(path: str | Path, size: int, name: str) -> None:
    """Raise UsageError where Git LFS left its pointer in the place of the data."""
    if size not in _POINTER_BYTES:
        return
    with open(path, "rb", buffering=0) as opened:
        if opened.read(len(_POINTER)) == _POINTER:
            raise UsageError(f"{name} is a pointer of Git LFS, not the data itself", mend="git lfs pull")
