"""Which objects were erased, folded from the ledger: what stands in for each, so that old versions are still told and checked out."""

from __future__ import annotations

import msgspec

from towpath import events as ev
from towpath.digest import Digest
from towpath.ledger import Entry


class Erasures(msgspec.Struct, frozen=True):
    """``objects``: what stands in for an erased object, by its digest; empty where nothing does."""

    objects: dict[str, str] = {}

    def is_gone(self, digest: Digest) -> bool:
        """Whether an object was erased: that it is missing is no fault, and nobody is to bring it back."""
        return digest in self.objects


def apply(erasures: Erasures, entry: Entry) -> Erasures:
    """The erasures after one more event."""
    match entry.event:
        case ev.RowsErased() as event:
            return Erasures({**erasures.objects, **event.objects})
        case _:
            return erasures
