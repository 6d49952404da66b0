"""A ledger in a bucket or a shared folder, for a team. One object a batch, under the position of its first record.

An append writes the object behind the last one known, on the condition that there is none. So of all who write at once exactly
one succeeds; the others read what is new and decide again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from towpath.errors import Broken, Unavailable, UsageError
from towpath.ledger.batch import FOLDER, broken, decode, encode, first_of, key_of
from towpath.ledger.entries import Entry
from towpath.ledger.port import Head, Record, body_of, chain, conflict
from towpath.ledger.remembered import Remembered
from towpath.store.remote.bucket import Bucket

PROBE = "probe/ledger"  # stays where it is: a ledger needs no right to delete
_READERS = 16  # objects fetched at once
_TELLINGS = 3  # times that a write without an answer is told, each of which the bucket tries for a while
_PAUSE_S = 0.05  # before the next try


class ObjectLedger:
    """Safe between threads. Records never change, so each is fetched once and kept in memory, and in ``remembered`` if it is given.

    ``wait_s`` is how long an append goes on losing to other writers, or waits for an answer, before it gives up.

    Raises:
        UsageError: the bucket refuses, or takes a second object under the name of a first: two writers would undo each other.
        Unavailable: the bucket does not answer.
        Broken: an object is missing or is not what was written; it is named.
    """

    def __init__(self, bucket: Bucket, *, remembered: Remembered | None = None, wait_s: float = 60) -> None:
        self.place, self.wait_s = bucket.place, wait_s
        self._bucket, self._remembered = bucket, remembered
        self._records: list[Record] = []
        self._ids: set[str] = set()
        self._first = 0  # where the last batch known begins
        self._proved = self._listed = False
        self._lock = Lock()

    def read(self, start: int = 0) -> Iterator[Record]:
        with self._lock:
            self._catch_up()
            return iter(self._records[start:])

    def append(self, entries: Sequence[Entry], *, expected: int | None = None) -> Head:
        bodies: dict[str, bytes] = {}
        for entry in entries:
            if entry.id not in bodies:
                bodies[entry.id] = body_of(entry)
        with self._lock:
            return self._append(bodies, expected, by=uuid.uuid4().hex)

    def _append(self, bodies: dict[str, bytes], expected: int | None, by: str) -> Head:
        if not self._listed or expected not in (None, self._head.position) or self._ids.issuperset(bodies):
            self._catch_up()
        self._prove()
        until = time.monotonic() + self.wait_s
        while True:
            if expected is not None and expected != self._head.position:
                raise conflict(expected, self._head.position)
            fresh = [body for id, body in bodies.items() if id not in self._ids]
            if not fresh or self._landed(encode(by, chain(fresh, self._head)), until):
                return self._head
            self._follow()

    def _landed(self, data: bytes, until: float) -> bool:
        """Write the next batch. False when another writer was first; that one's batch is known then."""
        position = self._head.position + 1
        found = data if self._put(position, data, until) else self._get_surely(position, until)
        self._absorb(position, found)
        return found == data

    def _put(self, position: int, data: bytes, until: float) -> bool:
        """Whether ``data`` is certain to have been written by this call. When no answer came it is told again: it can land only once."""
        if time.monotonic() > until:
            raise Unavailable(
                f"the ledger {self.place} was not free within {self.wait_s:g} s: other writers were always first",
                mend="nothing was written; try again, or see who writes so much",
            )
        for left in reversed(range(_TELLINGS)):
            try:
                return self._bucket.put(key_of(position), data, new=True)
            except Unavailable:
                if self._bucket.get(key_of(position)) is not None:
                    return False
                if not left:
                    raise
                time.sleep(_PAUSE_S)
        raise AssertionError("the last try returns or raises")

    def _get_surely(self, position: int, until: float) -> bytes:
        """The object that is said to be there; a network folder may show it a moment later."""
        while True:
            found = self._bucket.get(key_of(position))
            if found is not None:
                return found
            if time.monotonic() > until:
                raise Unavailable(
                    f"the ledger {self.place} does not show object {key_of(position)}, which it says is there",
                    mend="nothing was written; try again, and see whether this place shows every client the same",
                )
            time.sleep(_PAUSE_S)

    def _follow(self) -> None:
        """Read the batches behind the last one known, one by one: after a race there are few."""
        while (found := self._bucket.get(key_of(self._head.position + 1))) is not None:
            self._absorb(self._head.position + 1, found)

    def _catch_up(self) -> None:
        """Read all that is new. The last batch known must be listed too: else the end was cut off or rewritten."""
        self._recall()
        after = key_of(self._first - 1) if self._first else ""
        listed = sorted(first for stored in self._bucket.list(FOLDER, after) if (first := first_of(stored.key)))
        if self._first and listed[:1] != [self._first] and self._bucket.get(key_of(self._first)) is None:
            raise self._changed()
        fresh = [first for first in listed if first > self._first]
        for first, data in zip(fresh, self._fetched(fresh), strict=True):
            self._fill(first)
            self._absorb(first, data)
        self._listed = True

    def _fetched(self, firsts: Sequence[int]) -> Iterable[bytes | None]:
        keys = [key_of(first) for first in firsts]
        if len(keys) < 2:
            return [self._bucket.get(key) for key in keys]
        with ThreadPoolExecutor(min(_READERS, len(keys))) as pool:
            return list(pool.map(self._bucket.get, keys))

    def _fill(self, first: int) -> None:
        """Fetch what lies before ``first`` and was not listed: a folder's listing may miss what was written meanwhile."""
        while self._head.position + 1 < first:
            missing = self._head.position + 1
            data = self._bucket.get(key_of(missing))
            if data is None:
                raise Broken(
                    f"the ledger {self.place} has a gap: object {key_of(missing)} is missing, and {key_of(first)} is there",
                    mend="restore that object (where the bucket keeps versions, it has it), then run `towpath verify ledger`",
                )
            self._absorb(missing, data)

    def _absorb(self, first: int, data: bytes | None, *, remember: bool = True) -> None:
        """Take a batch in, behind the last one known."""
        if data is None:
            raise self._changed(first)
        named = f"object {key_of(first)} of the ledger {self.place}"
        records = decode(data, named)
        if (found := next(iter(records.values())).position) != first:
            raise broken(named, f"it begins with record {found}")
        if first != self._head.position + 1:
            raise Broken(
                f"the ledger {self.place} has two records {first}: object {key_of(first)} lies within the batch {key_of(self._first)}",
                mend="find out which of the two objects was put there by hand and remove it, then run `towpath verify ledger`",
            )
        self._records += records.values()
        self._ids |= records.keys()
        self._first = first
        if self._remembered and remember:
            self._remembered.add(data)

    def _recall(self) -> None:
        """Begin with what is remembered, if the bucket still holds the last of it: its hash covers all before."""
        if self._remembered is None or self._records:
            return
        known = list(self._remembered.all())
        if known and self._bucket.get(key_of(known[-1][0])) != known[-1][1]:
            raise self._changed(known[-1][0])
        for first, data in known:
            self._absorb(first, data, remember=False)

    def _changed(self, first: int | None = None) -> Broken:
        kept = f"; if the bucket was emptied on purpose, remove {self._remembered.path}" if self._remembered else ""
        return Broken(
            f"the ledger {self.place} is not the one that was read before: object {key_of(first or self._first)} was removed or changed",
            mend=f"restore the object (an earlier version of it, where the bucket keeps them){kept}",
        )

    def _prove(self) -> None:
        """See that the bucket refuses a second object under one name: without that, two writers would overwrite each other unseen."""
        if self._proved:
            return
        if self._bucket.put(PROBE, b"{}", new=True) and self._bucket.put(PROBE, b"{}", new=True):
            raise UsageError(
                f"{self.place} cannot hold a ledger: it ignores conditional writes (If-None-Match), so that one writer would undo another",
                mend="use a store that honours them (S3, GCS, Azure, MinIO, Ceph, SeaweedFS), a folder, or `ledger: postgresql://...`",
            )
        self._proved = True

    @property
    def _head(self) -> Head:
        return Head(self._records[-1].position, self._records[-1].hash) if self._records else Head()
