"""What clients tell each other of executions, as bytes (pure).

A *batch* is what one client executed, with who and when; it is signed as a whole. A *bundle* is an object of the bucket that never
changes: one batch, or many that a gc put together.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from towpath.digest import Digest, of_bytes
from towpath.store.port import Execution

FORM: Literal[1] = 1


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Digests, steps' names, codecs, seconds; who and when. Nothing of what is in data or code."""

    form: Literal[1] = FORM
    client: str  # the user
    host: str
    at: datetime  # by the client's clock
    executions: tuple[Execution, ...]


class Signed(NamedTuple):
    """A batch as its client wrote it, and the signature of these very bytes; empty: not signed."""

    data: bytes
    signature: str = ""


class Told(NamedTuple):
    """An execution as a client told it, in the batch with this ``data`` and ``signature``."""

    execution: Execution
    client: str
    host: str
    at: datetime
    data: bytes
    signature: str


_decode_bundle = msgspec.msgpack.Decoder(list[Signed]).decode
_decode_batch = msgspec.json.Decoder(Batch).decode


def of_batch(batch: Batch) -> bytes:
    """The bytes that are signed."""
    return msgspec.json.encode(batch)


def bundle(batches: Iterable[Signed]) -> tuple[Digest, bytes]:
    """A bundle as bytes, with the digest that is its name."""
    data = msgspec.msgpack.encode(list(batches))
    return of_bytes(data), data


def opened(digest: Digest, data: bytes) -> list[tuple[Signed, Batch]] | None:
    """The batches of the bundle ``digest`` that this version can read; None where the bytes are not what was written.

    >>> opened(*bundle([Signed(b"no batch")])), opened(of_bytes(b""), b"torn")
    ([], None)
    """
    if of_bytes(data) != digest:
        return None
    found = []
    with suppress(msgspec.DecodeError):
        for signed in _decode_bundle(data):
            with suppress(msgspec.DecodeError):
                found.append((signed, _decode_batch(signed.data)))
    return found


def told(signed: Signed, batch: Batch) -> Iterable[Told]:
    """Each execution of a batch."""
    return (Told(one, batch.client, batch.host, batch.at, *signed) for one in batch.executions)
