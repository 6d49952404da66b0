"""A ledger in this process's memory: for tests, notebooks and simulations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock

from towpath.ledger.entries import Entry
from towpath.ledger.port import Head, Record, body_of, chain, conflict


class MemoryLedger:
    """Keeps the records in a list; safe between threads."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._ids: set[str] = set()
        self._lock = Lock()

    def read(self, start: int = 0) -> Iterator[Record]:
        return iter(self._records[start:])

    def append(self, entries: Sequence[Entry], *, expected: int | None = None) -> Head:
        with self._lock:
            head = Head(self._records[-1].position, self._records[-1].hash) if self._records else Head()
            if expected is not None and expected != head.position:
                raise conflict(expected, head.position)
            fresh: dict[str, Entry] = {}
            for entry in entries:
                if entry.id not in self._ids:
                    fresh.setdefault(entry.id, entry)
            records = chain((body_of(entry) for entry in fresh.values()), head)
            self._records += records
            self._ids |= fresh.keys()
            return Head(records[-1].position, records[-1].hash) if records else head
