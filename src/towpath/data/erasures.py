"""Which objects were erased, folded from the ledger: what stands in for each, so that old versions are still told and checked out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from towpath import events as ev
from towpath.digest import Digest
from towpath.ledger import Entry
from towpath.store.trees import FileEntry


class Erasures(msgspec.Struct, frozen=True):
    """``objects``: what stands in for an erased object, by its digest; empty where nothing does."""

    objects: dict[str, str] = {}

    def is_gone(self, digest: Digest) -> bool:
        """Whether an object was erased: that it is missing is no fault, and nobody is to bring it back."""
        return digest in self.objects


def standing_in(files: Iterable[FileEntry], erased: Mapping[str, str]) -> list[FileEntry]:
    """The files of a snapshot as they can still be had: an erased one by what stands in for it; left out where nothing does.

    Sizes and rows stay those of the snapshot.

    >>> standing_in([FileEntry("a", Digest("1"), 5), FileEntry("b", Digest("2"), 5)], {"1": "3", "3": "4", "2": ""})
    [FileEntry(path='a', digest='4', size=5, rows=-1)]
    """
    found = []
    for file in files:
        digest: str = file.digest
        while digest in erased:
            digest = erased[digest]
        if digest:
            found.append(file._replace(digest=Digest(digest)))
    return found


def apply(erasures: Erasures, entry: Entry) -> Erasures:
    """The erasures after one more event."""
    match entry.event:
        case ev.RowsErased() as event:
            return Erasures({**erasures.objects, **event.objects})
        case _:
            return erasures
