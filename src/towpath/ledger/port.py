"""What a ledger is: facts in order, each chained to the one before by its hash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from towpath.digest import Digest, of_bytes
from towpath.errors import Broken, Conflict, UsageError
from towpath.ledger.entries import Entry

GENESIS = Digest("0" * 64)

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Entry).decode


class Head(msgspec.Struct, frozen=True):
    """Where a ledger ends: how many records, and the hash of the last. Kept outside it, it finds a cut-off tail."""

    position: int = 0
    hash: Digest = GENESIS


class Record(msgspec.Struct, frozen=True):
    """One entry in its place. ``position`` counts from 1; ``body`` is the entry's canonical JSON, which the hash covers."""

    position: int
    body: bytes
    previous: Digest
    hash: Digest

    @property
    def entry(self) -> Entry:
        """The entry, decoded. Raises Broken when the body is not an entry of a form that this version reads."""
        try:
            return _decode(self.body)
        except (msgspec.DecodeError, msgspec.ValidationError) as fault:
            raise Broken(
                f"record {self.position} of the ledger cannot be read: {fault}",
                mend="it was written by a newer Towpath, or changed by hand: upgrade, or run `towpath verify ledger`",
            ) from fault


class Ledger(Protocol):
    """An append-only list of facts.

    Two verbs. A ledger keeps every entry, in one order that all readers see, and knows nothing of models. Several
    processes may hold the same ledger open; whatever ``append`` has returned for survives the death of any of them.
    """

    def read(self, start: int = 0) -> Iterator[Record]:
        """Records after position ``start``, oldest first; as of the call, later appends need not show."""
        ...

    def append(self, entries: Sequence[Entry], *, expected: int | None = None) -> Head:
        """Add all of ``entries`` or none, and return the new head.

        An entry whose id is already there is passed over: telling a fact twice is a success, not a second record.
        Facts are appended without a condition; decisions with ``expected``, the position they were made at.

        Raises:
            Conflict: the ledger is no longer at ``expected``; nothing was added. Read again and decide again.
            UsageError: an entry would not read back (a number in it is not finite); nothing was added.
        """
        ...


def body_of(entry: Entry) -> bytes:
    """The entry's canonical JSON. Raises UsageError when it would not read back: one such record would close the ledger to all."""
    body = _encode(entry)
    try:
        _decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as fault:
        raise UsageError(
            f"the event {type(entry.event).__name__} cannot be recorded, it would not read back: {fault}",
            mend="a number in it is not finite (NaN or infinite) or has another type than declared; leave it out, or say why in words",
        ) from fault
    return body


def chained(body: bytes, head: Head) -> Record:
    """The record that ``body`` becomes behind ``head``: its hash covers its position, its body and the hash before."""
    position = head.position + 1
    return Record(position, body, head.hash, link(position, body, head.hash))


def link(position: int, body: bytes, previous: Digest) -> Digest:
    """Hash of one record."""
    return of_bytes(b"%d\n%s\n%s" % (position, previous.encode(), body))


def chain(bodies: Iterable[bytes], head: Head) -> list[Record]:
    """Records that ``bodies`` become behind ``head``."""
    records: list[Record] = []
    for body in bodies:
        record = chained(body, head)
        records.append(record)
        head = Head(record.position, record.hash)
    return records


def conflict(expected: int, found: int) -> Conflict:
    """The error of ``append`` when the ledger has moved on."""
    return Conflict(
        f"the ledger is at position {found}, the decision was made at {expected}: another process was first",
        mend="nothing was written; read the ledger and decide again (the loop's next turn does so by itself; a command can be retried)",
    )
