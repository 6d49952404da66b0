"""An event as a ledger takes it: stamped, and of a form that later versions can tell."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from towpath.clock import Clock, machine_s
from towpath.events import AnyEvent

FORM = 1  # version of the events' form; every record carries it


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it is handed to a ledger: with its id, its form and the time of both clocks."""

    id: str
    at: datetime  # the project's clock
    machine: float  # the machine's monotonic clock, seconds
    form: int = FORM
    event: AnyEvent


def entry(event: AnyEvent, clock: Clock, *, id: str | None = None) -> Entry:
    """Stamp an event. Give ``id`` where the same fact may be told twice: the ledger keeps the first."""
    return Entry(id=id or uuid.uuid4().hex, at=clock.now(), machine=machine_s(), event=event)
