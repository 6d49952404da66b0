"""How a dataset's files stand beside a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from towpath.data.index import Index
from towpath.data.settled import Settled
from towpath.data.sources import Source, known
from towpath.data.sources.opening import opened
from towpath.data.walk import Found, NoFiles
from towpath.digest import Digest
from towpath.project import Dataset
from towpath.store.trees import FileEntry


class Standing(NamedTuple):
    """Names of files that are here and not in the snapshot, whose bytes are others, and that the snapshot has and are not here."""

    added: list[str]
    changed: list[str]
    removed: list[str]

    @property
    def is_same(self) -> bool:
        return not (self.added or self.changed or self.removed)


def stands(
    name: str, dataset: Dataset, root: Path, index: Index, settled: Settled, snapshot: Digest, files: Callable[[], Iterable[FileEntry]]
) -> tuple[int, Standing]:
    """How many files a dataset has now, and how they stand beside those of a snapshot, which ``files`` gives if it must."""
    source = opened(dataset, root)
    found = _found(source)
    if settled.is_known(name, found, snapshot):
        return len(found), Standing([], [], [])
    standing = compare(_entries(source, found, index), files())
    if standing.is_same:
        settled.note(name, found, snapshot)
    return len(found), standing


def here(dataset: Dataset, root: Path, index: Index) -> list[FileEntry]:
    """The dataset's files as they are now, without their rows; only what looks touched is read. None where there are none."""
    source = opened(dataset, root)
    return _entries(source, _found(source), index)


def _found(source: Source) -> list[Found]:
    try:
        return source.look().files
    except NoFiles:
        return []


def _entries(source: Source, found: list[Found], index: Index) -> list[FileEntry]:
    try:
        digests = known.digests(source, found, index)
        return [FileEntry(file.name, digest, file.marks.size) for file, digest in zip(found, digests, strict=True)]
    finally:
        index.save()


def compare(files: Iterable[FileEntry], snapshot: Iterable[FileEntry]) -> Standing:
    """What differs, by name and bytes."""
    now, then = {file.path: file.digest for file in files}, {file.path: file.digest for file in snapshot}
    return Standing(
        added=[path for path in now if path not in then],
        changed=[path for path, digest in now.items() if then.get(path, digest) != digest],
        removed=[path for path in then if path not in now],
    )
