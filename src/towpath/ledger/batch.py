"""The object that one append becomes in a bucket: its name, and its bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

import msgspec

from towpath.digest import Digest
from towpath.errors import Broken
from towpath.ledger.port import Record

FOLDER = "ledger"

_NAME = re.compile(rf"{FOLDER}/(\d{{20}})\.json")


class _Line(msgspec.Struct, frozen=True):
    position: int
    body: msgspec.Raw
    previous: Digest
    hash: Digest


class _Batch(msgspec.Struct, frozen=True):
    """``by`` is told once in all the world, so that who lost the answer to a write knows its own object again."""

    by: str
    records: list[_Line]


class _Named(msgspec.Struct, frozen=True):
    id: str


_decode = msgspec.json.Decoder(_Batch).decode
_decode_id = msgspec.json.Decoder(_Named).decode


def key_of(position: int) -> str:
    """The key of the batch whose first record has this position: in the order of their names, batches are in the ledger's.

    >>> key_of(42)
    'ledger/00000000000000000042.json'
    """
    return f"{FOLDER}/{position:020}.json"


def first_of(key: str) -> int | None:
    """The position of the first record under ``key``; None for a key that is no batch's."""
    found = _NAME.fullmatch(key)
    return int(found[1]) if found else None


def encode(by: str, records: Iterable[Record]) -> bytes:
    """One line of JSON; bodies stand in it byte for byte, as the hashes cover them."""
    lines = [_Line(r.position, msgspec.Raw(r.body), r.previous, r.hash) for r in records]
    return msgspec.json.encode(_Batch(by, lines))


def decode(data: bytes, named: str) -> dict[str, Record]:
    """The records of a batch, by the ids of their entries; events of a newer form do no harm.

    Raises:
        Broken: it is no batch; ``named`` says which.
    """
    try:
        batch = _decode(data)
        ids = [_decode_id(line.body).id for line in batch.records]
    except (msgspec.DecodeError, msgspec.ValidationError) as fault:
        raise broken(named, str(fault)) from fault
    records = [Record(line.position, bytes(line.body), line.previous, line.hash) for line in batch.records]
    if not records or any(after.position != before.position + 1 for before, after in pairwise(records)):
        raise broken(named, f"it holds the positions {[record.position for record in records]}")
    return dict(zip(ids, records, strict=True))


def broken(named: str, what: str) -> Broken:
    """The error of an object that is not what was written."""
    return Broken(
        f"{named} is not what was written: {what}",
        mend="restore that object (an earlier version of it, where the bucket keeps them), then run `towpath verify ledger`",
    )
