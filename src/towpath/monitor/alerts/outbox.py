"""The outbox: targets outside are told from the ledger, at least once, in order, and resumed after a crash.

A target's place is the last ``Delivered`` of its name. A target that is down keeps its place and holds up no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from towpath.clock import Clock
from towpath.errors import Unavailable
from towpath.events import Delivered
from towpath.ledger import Ledger, Record, entry
from towpath.monitor.alerts.port import Target


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How it went with one target: how many records it accepted, and the fault that ended it, if one did."""

    target: str
    told: int
    fault: Unavailable | None = None


def pending(records: Iterable[Record], target: Target, delivered_position: int) -> Iterator[Record]:
    """What ``target`` wants of the records after the position that it was told up to."""
    return (record for record in records if record.position > delivered_position and target.wants(record.entry.event))


def places(records: Iterable[Record]) -> dict[str, int]:
    """How far each target was told, by its name."""
    told: dict[str, int] = {}
    for event in (record.entry.event for record in records):
        if isinstance(event, Delivered):
            told[event.target] = max(event.position, told.get(event.target, 0))
    return told


def deliver(ledger: Ledger, targets: Iterable[Target], clock: Clock, places: Mapping[str, int]) -> list[Delivery]:
    """Tell every target what it has not been told yet. One process at a time does this for a ledger.

    Args:
        places: how far each target was told, by its name; one that is not there was told nothing.
    """
    known = list(targets)
    records = list(ledger.read(min((places.get(target.name, 0) for target in known), default=0)))
    return [_deliver(ledger, target, clock, pending(records, target, places.get(target.name, 0))) for target in known]


def _deliver(ledger: Ledger, target: Target, clock: Clock, records: Iterable[Record]) -> Delivery:
    told = 0
    for record in records:
        try:
            target.tell(record)
        except Unavailable as fault:
            return Delivery(target=target.name, told=told, fault=fault)
        accepted = Delivered(target=target.name, position=record.position)
        ledger.append([entry(accepted, clock, id=f"delivered:{target.name}:{record.position}")])
        told += 1
    return Delivery(target=target.name, told=told)
