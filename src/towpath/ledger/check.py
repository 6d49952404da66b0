"""Is this ledger what was written? The chain is followed from its beginning, and its end held against the anchors."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from towpath.digest import Digest
from towpath.ledger.port import GENESIS, Head, Record, link


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong, at the position where it shows."""

    position: int
    what: str


class Checked(msgspec.Struct, frozen=True):
    """How far the chain was followed, and what was wrong on the way."""

    head: Head
    faults: tuple[Fault, ...]


def verify(records: Iterable[Record], anchors: Iterable[Head] = ()) -> Checked:
    """Follow the chain: names every changed, reordered or dropped record, and by the anchors a cut-off or rewritten end."""
    faults: list[Fault] = []
    hashes = {0: GENESIS}
    position, previous = 0, GENESIS
    for record in records:
        faults += _faults_of(record, position, previous)
        position, previous = record.position, record.hash
        hashes[position] = record.hash
    faults += [fault for anchor in anchors for fault in _against(anchor, hashes, position)]
    return Checked(Head(position, previous), tuple(faults))


def _faults_of(record: Record, before: int, previous: str) -> list[Fault]:
    faults = []
    if record.position > before + 1:
        faults.append(Fault(record.position, f"{_span(before + 1, record.position - 1)} dropped"))
    elif record.position <= before:
        faults.append(Fault(record.position, f"record {record.position} stands behind record {before}: reordered"))
    elif record.previous != previous:
        what = f"record {record.position} does not follow record {before}: one of them was changed, replaced or reordered"
        faults.append(Fault(record.position, what))
    if record.hash != link(record.position, record.body, record.previous):
        faults.append(Fault(record.position, f"record {record.position} was changed: its bytes do not give its hash"))
    return faults


def _against(anchor: Head, hashes: dict[int, Digest], end: int) -> list[Fault]:
    if anchor.position > end:
        what = f"{_span(end + 1, anchor.position)} dropped from the end (an anchor saw {anchor.position})"
        return [Fault(end, what)]
    if anchor.position in hashes and hashes[anchor.position] != anchor.hash:
        return [Fault(anchor.position, f"record {anchor.position} is not the one that the anchor saw: rewritten from here or before")]
    return []


def _span(first: int, last: int) -> str:
    return f"record {first}" if first == last else f"records {first} to {last}"
