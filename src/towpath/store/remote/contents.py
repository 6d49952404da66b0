"""What a remote has at one moment: all its indices and the notes of what is to be deleted, seen together (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from towpath.digest import Digest
from towpath.store.remote.index import Index, Name, name_of


class Place(NamedTuple):
    """Where a blob lies."""

    pack: Name
    start: int
    size: int


class Contents:
    """Blobs by where they lie, large objects by their chunks. Of two places of a blob the one that will stay counts.

    ``condemned`` are packs that a gc is going to delete: what they hold can still be read, and must not be relied on.
    """

    def __init__(self, indices: Mapping[Digest, Index], condemned: Collection[Name] = ()) -> None:
        self.condemned = frozenset(condemned)
        self.indices = current(indices)
        self.places: dict[Name, Place] = {}
        self.large: dict[Name, list[Name]] = {}
        for _, index in sorted(self.indices.items()):
            self._add(index)

    def _add(self, index: Index) -> None:
        self.large.update((large.digest, large.chunks) for large in index.large)
        for pack in index.packs:
            start = 0
            for digest, size in pack.blobs:
                there = self.places.get(digest)
                if there is None or (there.pack in self.condemned and pack.name not in self.condemned):
                    self.places[digest] = Place(pack.name, start, size)
                start += size

    def blobs(self, digest: Digest) -> list[Name]:
        """The blobs that an object consists of: itself, or its chunks."""
        return self._blobs(name_of(digest))

    def has(self, digest: Digest) -> bool:
        """Whether an object can be read."""
        return all(blob in self.places for blob in self.blobs(digest))

    def keeps(self, digest: Digest) -> bool:
        """Whether an object can be read and will stay."""
        return all(self.keeps_blob(blob) for blob in self.blobs(digest))

    def keeps_blob(self, blob: Name) -> bool:
        """Whether a blob can be read and will stay."""
        place = self.places.get(blob)
        return place is not None and place.pack not in self.condemned

    def size(self, digest: Digest) -> int:
        """Bytes of an object that the remote has."""
        return sum(self.places[blob].size for blob in self.blobs(digest))

    def used(self, live: Iterable[Digest]) -> dict[Name, Place]:
        """Every blob that these objects need and the remote has, with its place."""
        names = {blob for digest in live for blob in self.blobs(digest)}
        return {name: self.places[name] for name in names if name in self.places}

    def _blobs(self, name: Name) -> list[Name]:
        return [name] if name in self.places else self.large.get(name, [name])


def current(indices: Mapping[Digest, Index]) -> dict[Digest, Index]:
    """The indices that no other one replaces."""
    replaced = {name for index in indices.values() for name in index.replaces}
    return {digest: index for digest, index in indices.items() if name_of(digest) not in replaced}
