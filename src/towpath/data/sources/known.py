"""Reading no file of a source twice: what the index knows of it is taken from there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from towpath.data.index import Index
from towpath.data.sources.port import Source
from towpath.data.walk import Found
from towpath.digest import Digest, of_file


def digest(source: Source, file: Found, index: Index) -> Digest:
    """The digest of a file; it is read only when it looks touched since the last time. Raises as ``Source.read`` does."""
    return index.known(file.path, file.marks) or fresh(source, file, index, of_file)


def fresh(source: Source, file: Found, index: Index | None, take: Callable[[Path], Digest]) -> Digest:
    """The digest that ``take`` finds, which may keep the bytes too. Raises as ``Source.read`` does."""
    found, marks = source.read(file, take)
    if index is not None:
        index.learn(file.path, marks, found)
    return found


def rows(source: Source, file: Found, found: Digest, index: Index, count: Callable[[Path], int]) -> int:
    """How many rows the table in a file has; they are counted once for the same bytes."""
    if (known := index.rows_known(found)) is not None:
        return known
    return source.read(file, lambda path: index.rows(found, str(path), count))[0]
