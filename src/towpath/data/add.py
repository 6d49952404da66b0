"""From files to a snapshot: what is new goes into the store, what looks untouched is not read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from towpath.data import manifest, walk
from towpath.data.announced import announced
from towpath.data.index import Index
from towpath.data.manifest import Snapshot
from towpath.data.sources import Source, known
from towpath.data.sources.opening import opened
from towpath.data.walk import Found
from towpath.digest import Digest
from towpath.project import Dataset
from towpath.store import Store
from towpath.store.trees import FileEntry

Put = Callable[[str], Digest]
Count = Callable[[Path], int]


class Added(NamedTuple):
    """A snapshot, the digest of its manifest, and how many files had to be read for it."""

    snapshot: Snapshot
    digest: Digest
    read: int


class Progress(NamedTuple):
    """How far an addition is, of what must be read for it."""

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
    source = opened(dataset, root)
    now = source.look()
    count_tables = count if walk.is_table(now.files) else None
    try:
        with put or nullcontext(store.put_file) as keep:
            entries, read = _kept(source, now.files, store, index, keep, count_tables, tell)
    finally:
        index.save()  # so that an addition that was cut off need not read again what it had read
    snapshot, digest = manifest.keep(store, name, "table" if count_tables else "files", entries, now.origin)
    return Added(snapshot, digest, read)


def _kept(
    source: Source, found: list[Found], store: Store, index: Index, keep: Put, count: Count | None, tell: Tell
) -> tuple[list[FileEntry], int]:
    """The files, all of them in the store, and how many had to be read."""
    digests = index.known_all(found)
    lost = store.missing(digest for digest in digests if digest)
    untouched = [None if digest in lost else digest for digest in digests]

    def put(path: str) -> Digest:
        digest = keep(path)
        if count:
            index.rows(digest, path, count)  # while the file is here
        return digest

    read = _read(source, [file for file, digest in zip(found, untouched, strict=True) if digest is None], index, put, tell)
    fresh = iter(read)
    entries = [
        FileEntry(file.name, digest, known.size(file, digest, store)) if digest else next(fresh)
        for file, digest in zip(found, untouched, strict=True)
    ]
    if count:
        counted = (known.rows(source, file, entry.digest, index, count) for file, entry in zip(found, entries, strict=True))
        entries = [entry._replace(rows=rows) for entry, rows in zip(entries, counted, strict=True)]
    return entries, len(read)


def _read(source: Source, files: list[Found], index: Index, put: Put, tell: Tell) -> list[FileEntry]:
    read: list[FileEntry] = []
    done, of_size = 0, sum(max(0, file.marks.size) for file in files)
    for file in announced(files):
        digest, size = known.fresh(source, file, index, put)
        read.append(FileEntry(file.name, digest, size))
        done += size
        tell(Progress(len(read), len(files), done, of_size))
    return read
