"""A ledger that was kept alone, laid into a team's: readable under its own name, and never merged.

Its numbers mean other runs and versions than the team's, and its gates saw other champions; so the team's ledger gets one event
that names it, and no fold reads what is in it. Nothing that it says was passed may be promoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from towpath.digest import of_bytes
from towpath.errors import Broken, UnknownName, UsageError
from towpath.events import LedgerImported
from towpath.ledger.batch import decode, encode
from towpath.ledger.check import verify
from towpath.ledger.port import Head, Record


def packed(name: str, records: Sequence[Record], anchors: Iterable[Head], known: Iterable[Record]) -> tuple[LedgerImported, bytes]:
    """The event that lays a ledger into the team's (``known``), and the object that the event names.

    Raises:
        UsageError: it is empty, or another was imported under that name.
        Broken: its chain does not hold.
    """
    if not records:
        raise UsageError("there is nothing to import: the ledger is empty", mend="name the ledger that has the history: `--from FILE`")
    checked = verify(records, anchors)
    if checked.faults:
        raise Broken(
            f"the ledger is not imported, it is not what was written: at {checked.faults[0].position}, {checked.faults[0].what}",
            mend="import it from a backup that was taken before that",
        )
    data = encode(name, records)
    event = LedgerImported(name=name, digest=of_bytes(data), records=len(records), head=checked.head.hash)
    before = all_of(known).get(name, event)
    if before != event:
        raise UsageError(f"another ledger was imported as {name!r}, of {before.records:,} records", mend="give this one another name")
    return event, data


def all_of(records: Iterable[Record]) -> dict[str, LedgerImported]:
    """The ledgers that were imported, by name; of two under one name the first."""
    events = [event for record in records if isinstance(event := record.entry.event, LedgerImported)]
    return {event.name: event for event in reversed(events)}


def find(name: str, records: Iterable[Record]) -> LedgerImported:
    """The ledger that was imported under a name. Raises UnknownName."""
    known = all_of(records)
    if name not in known:
        raise UnknownName("imported ledger", name, known)
    return known[name]


def unpacked(event: LedgerImported, data: bytes) -> list[Record]:
    """The records of an imported ledger. Raises Broken when they are not those of the event."""
    named = f"the imported ledger {event.name!r}"
    records = list(decode(data, named).values())
    checked = verify(records)
    if checked.faults or checked.head != Head(event.records, event.head):
        raise Broken(f"{named} is not what was imported", mend="`towpath verify store` names the object; restore it from a backup")
    return records
