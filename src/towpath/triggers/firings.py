"""What the triggers did, folded from the ledger: every firing and every refusal, with its reason."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from towpath import events as ev
from towpath.ledger import Entry


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One firing (``run`` is set) or refusal of a trigger; ``answered_by`` is the run that answers the cause, if one does."""

    at: datetime
    trigger: str
    cause: str
    key: str
    run: int | None
    because: str
    answered_by: int | None = None


class Firings(msgspec.Struct, frozen=True):
    """All decisions of the triggers, in order; and the keys that have fired."""

    decisions: tuple[Decision, ...] = ()
    fired: frozenset[str] = frozenset()

    def since(self, start: datetime) -> list[Decision]:
        """Firings (not refusals) at or after ``start``."""
        return [decision for decision in self.decisions if decision.run is not None and decision.at >= start]

    def last_refusal(self, trigger: str, cause: str) -> Decision | None:
        """The latest refusal of one cause, in the words that people read."""
        return next((d for d in reversed(self.decisions) if (d.trigger, d.cause) == (trigger, cause) and d.run is None), None)


def apply(firings: Firings, entry: Entry) -> Firings:
    """The decisions after one more event."""
    match entry.event:
        case ev.TriggerFired() as event:
            made = Decision(
                at=entry.at, trigger=event.trigger, cause=event.cause, key=event.key, run=event.run, because="", answered_by=event.run
            )
            return Firings((*firings.decisions, made), firings.fired | {event.key})
        case ev.TriggerRefused() as event:
            made = Decision(
                at=entry.at,
                trigger=event.trigger,
                cause=event.cause,
                key=event.key,
                run=None,
                because=event.because,
                answered_by=event.seen_by,
            )
            return replace(firings, decisions=(*firings.decisions, made))
        case _:
            return firings
