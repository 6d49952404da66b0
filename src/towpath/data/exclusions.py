"""Which rows are left out of every later run, folded from the ledger: each exclusion with its reason, until it is lifted."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from towpath import events as ev
from towpath.data.exclusion import Exclusion
from towpath.errors import UnknownName
from towpath.ledger import Entry


class Exclusions(msgspec.Struct, frozen=True):
    """All exclusions by number."""

    all: dict[int, Exclusion] = {}

    @property
    def next_number(self) -> int:
        """The number that the next one will have."""
        return max(self.all, default=0) + 1

    def of(self, dataset: str) -> tuple[Exclusion, ...]:
        """Those that hold for a dataset."""
        return tuple(one for one in self.all.values() if one.dataset == dataset and not one.lifted)

    def holding(self, number: int) -> Exclusion:
        """One that holds. Raises UnknownName."""
        one = self.all.get(number)
        if one is None or one.lifted:
            raise UnknownName("exclusion", str(number), [str(one.number) for one in self.all.values() if not one.lifted])
        return one


def apply(exclusions: Exclusions, entry: Entry) -> Exclusions:
    """The exclusions after one more event."""
    match entry.event:
        case ev.RowsExcluded() as event:
            one = Exclusion(
                number=event.exclusion, dataset=event.dataset, where=event.where, by=event.by, because=event.because, at=entry.at
            )
        case ev.ExclusionLifted() as event:
            ended = f"{entry.at:%Y-%m-%d} by {event.by}: {event.because}"
            one = replace(exclusions.all[event.exclusion], lifted=ended)
        case _:
            return exclusions
    return Exclusions({**exclusions.all, one.number: one})
