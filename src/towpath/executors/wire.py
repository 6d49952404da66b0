"""Messages between a run and its workers: each with its length before it."""

from __future__ import annotations

import os
import struct
from typing import TypeVar

import msgspec

_SIZE = struct.Struct("<I")
Message = TypeVar("Message")
SYNC = b""  # asks a worker to make durable what it made


class Synced(msgspec.Struct, frozen=True):
    """What a worker made is durable, or why not."""

    fault: str = ""
    mend: str = "run again"


def send(pipe: int, message: object) -> None:
    """Write a message. Raises BrokenPipeError where nobody reads."""
    data = b"" if message == SYNC else msgspec.msgpack.encode(message)
    rest = memoryview(_SIZE.pack(len(data)) + data)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def receive(pipe: int, kind: type[Message]) -> Message | None:
    """The next message; None where the other side is gone."""
    data = take(pipe)
    return None if data is None else msgspec.msgpack.decode(data, type=kind)


def take(pipe: int) -> bytes | None:
    """The bytes of the next message; None where the other side is gone."""
    head = _exactly(pipe, _SIZE.size)
    return None if head is None else _exactly(pipe, _SIZE.unpack(head)[0])


def _exactly(pipe: int, size: int) -> bytes | None:
    found = bytearray()
    while len(found) < size:
        some = os.read(pipe, size - len(found))
        if not some:
            return None
        found += some
    return bytes(found)
