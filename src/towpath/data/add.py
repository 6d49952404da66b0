"""From files to a snapshot: what is new goes into the store, what looks untouched is not read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from towpath.data import manifest, walk
from towpath.data.index import Index
from towpath.data.manifest import Snapshot
from towpath.data.walk import Found
from towpath.digest import Digest
from towpath.errors import UsageError
from towpath.project import Dataset
from towpath.store import Store
from towpath.store.trees import FileEntry

_POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_BYTES = 1024  # the specification's limit

Put = Callable[[Path], Digest]
Count = Callable[[Path], int]


class Added(NamedTuple):
    """A snapshot, the digest of its manifest, and how many files had to be read for it."""

    snapshot: Snapshot
    digest: Digest
    read: int


class Progress(NamedTuple):
    """How far an addition is."""

    files: int
    of_files: int
    size: int
    of_size: int


Tell = Callable[[Progress], None]


def add(
    name: str,
    dataset: Dataset,
    root: Path,
    store: Store,
    index: Index,
    *,
    count: Count,
    put: AbstractContextManager[Put] | None = None,
    tell: Tell = lambda progress: None,
) -> Added:
    """Take a snapshot of the dataset's files as they are now.

    Args:
        count: gives the rows of a file that is a table; -1 where it cannot be read.
        put: gives what keeps one file; ``store.put_file`` when left out.

    Raises:
        UsageError: there are no files, a link is broken, or a file is a pointer of Git LFS.
        Unavailable: a file cannot be read, or changes while it is read; the store cannot be written. What was kept stays, and
            the next addition goes on from there.
    """
    found = walk.walk(root, dataset)
    table = walk.is_table(found)
    try:
        with put or nullcontext(store.put_file) as keep:
            entries, read = _kept(found, table, store, index, keep, count, tell)
    finally:
        index.save()  # so that an addition that was cut off need not read again what it had read
    snapshot, digest = manifest.keep(store, name, "table" if table else "files", entries)
    return Added(snapshot, digest, read)


def _kept(found: list[Found], table: bool, store: Store, index: Index, keep: Put, count: Count, tell: Tell) -> tuple[list[FileEntry], int]:
    """The files, all of them in the store, and how many had to be read."""
    entries, read, size, of_size = [], 0, 0, sum(file.marks.size for file in found)
    for file in found:
        digest = index.known(file.path, file.marks)
        if digest is None or not store.has(digest):
            refuse_pointer(file)
            digest = index.fresh(file.path, file.marks, keep)
            read += 1
        rows = index.rows(digest, file.path, count) if table else -1
        entries.append(FileEntry(file.name, digest, file.marks.size, rows))
        size += file.marks.size
        tell(Progress(len(entries), len(found), size, of_size))
    return entries, read


def refuse_pointer(file: Found) -> None:
    """Raise UsageError where Git LFS left its pointer in the place of the data."""
    if file.marks.size > _POINTER_BYTES:
        return
    with open(file.path, "rb") as opened:
        if opened.read(len(_POINTER)) == _POINTER:
            raise UsageError(f"{file.name} is a pointer of Git LFS, not the data itself", mend="git lfs pull")
