"""A version of a dataset as one side of a comparison: a snapshot from the store, the files as they are now, or nothing at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from towpath.data import manifest, share
from towpath.data.index import Index
from towpath.data.manifest import Snapshot
from towpath.data.sources import Source, known
from towpath.data.sources.opening import opened
from towpath.data.stand_ins import standing_in
from towpath.data.walk import Found, NoFiles
from towpath.digest import Digest, of_bytes
from towpath.errors import Unavailable, UsageError
from towpath.project import Dataset
from towpath.store import Store, trees
from towpath.store.trees import Change, FileEntry

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Side:
    """``name`` is what it was asked for by. A side that is neither a ``snapshot`` nor ``here`` does not have the dataset."""

    name: str
    store: Store
    digest: Digest | None = None
    snapshot: Snapshot | None = None
    here: tuple[FileEntry, ...] = ()
    take: Callable[[FileEntry], bytes] | None = None
    erased: Mapping[str, str] = field(default_factory=dict)

    def files(self) -> Iterable[FileEntry]:
        """Its files in order of their names; of what was erased, what stands in for it."""
        return standing_in(trees.files(self.store, self.snapshot.root), self.erased) if self.snapshot else self.here

    @property
    def count(self) -> int:
        """How many files it has."""
        return self.snapshot.files if self.snapshot else len(self.here)

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return self.snapshot.size if self.snapshot else sum(file.size for file in self.here)

    @property
    def rows(self) -> int:
        """Rows of all its files; -1 where they were not counted."""
        return self.snapshot.rows if self.snapshot else -1 if self.here else 0

    def read(self, file: FileEntry) -> bytes:
        """The bytes of one of its files.

        Raises:
            UnknownName: the store does not have them.
            Unavailable: the file was changed since it was listed.
        """
        return self.take(file) if self.take else self.store.get(file.digest)


def of_snapshot(name: str, digest: Digest, store: Store, erased: Mapping[str, str] = _NOTHING) -> Side:
    """The snapshot with this digest; ``erased``: what stands in for erased objects. Raises UsageError where the store does not have it."""
    if not store.has(digest):
        raise UsageError(f"snapshot {digest[:8]} ({name}) is not in the store of this machine", mend="towpath data pull")
    share.bring_listing(store, [digest])
    return Side(name=name, store=store, digest=digest, snapshot=manifest.manifest(store, digest), erased=erased)


def of_work(dataset: Dataset, root: Path, store: Store, index: Index) -> Side:
    """The files as they are now; only what looks touched is read for its digest."""
    source = opened(dataset, root)
    try:
        found = {file.name: file for file in source.look().files}
    except NoFiles:
        found = {}
    try:
        digests = known.digests(source, list(found.values()), index)
        here = tuple(FileEntry(file.name, digest, file.marks.size) for file, digest in zip(found.values(), digests, strict=True))
    finally:
        index.save()
    return Side(name="work", store=store, here=here, take=lambda file: whole(source, found[file.path], file.digest))


def whole(source: Source, file: Found, digest: Digest) -> bytes:
    """The bytes of a file of a source. Raises Unavailable where they are no longer those with this digest."""
    data, _ = source.read(file, lambda path: Path(path).read_bytes())
    if of_bytes(data) != digest:
        raise Unavailable(f"{file.name} changes while it is read", mend="wait until whatever writes it has ended, then try again")
    return data


def of_nothing(name: str, store: Store) -> Side:
    """A version that does not have the dataset."""
    return Side(name=name, store=store)


def changes(one: Side, other: Side) -> list[Change]:
    """The files whose bytes differ, in order of their names; of two snapshots only what differs is looked at."""
    if one.snapshot and other.snapshot:
        found = _standing_in(trees.changes(one.store, one.snapshot.root, other.snapshot.root), {**one.erased, **other.erased})
    else:
        found = _changes(one.files(), other.files())
    return [change for change in found if _bytes(change.before) != _bytes(change.after)]


def _standing_in(found: Iterable[Change], erased: Mapping[str, str]) -> Iterator[Change]:
    for change in found:
        before, after = (next(iter(standing_in([file] if file else [], erased)), None) for file in (change.before, change.after))
        yield Change(change.path, before, after)


def _changes(before: Iterable[FileEntry], after: Iterable[FileEntry]) -> Iterator[Change]:
    was, now = {file.path: file for file in before}, {file.path: file for file in after}
    yield from (Change(path, was.get(path), now.get(path)) for path in [*was, *(path for path in now if path not in was)])


def _bytes(file: FileEntry | None) -> str:
    return file.digest if file else ""


def apart(found: Iterable[Change]) -> tuple[list[FileEntry], list[FileEntry]]:
    """The files of each side whose bytes the other side's differing files do not have: what moved is in neither."""
    found = list(found)
    was, now = [c.before for c in found if c.before], [c.after for c in found if c.after]
    return _beyond(was, Counter(file.digest for file in now)), _beyond(now, Counter(file.digest for file in was))


def _beyond(files: list[FileEntry], others: Counter[Digest]) -> list[FileEntry]:
    left = []
    for file in files:
        if others[file.digest]:
            others[file.digest] -= 1
        else:
            left.append(file)
    return left
