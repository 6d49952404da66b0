"""What a worker and its challenger's process say to each other: MessagePack frames with their length before them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import msgspec

from towpath.digest import Digest
from towpath.formats import Label
from towpath.serving.answers import Told
from towpath.serving.settings import Fault

_LENGTH = struct.Struct("<I")


class Load(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Load this package. ``objects`` are all its bytes, so that the process needs no store."""

    digest: Digest
    objects: list[bytes]
    fault: Fault | None


class Loaded(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The package is loaded, warm and answers its golden rows; or why not."""

    refused: str = ""
    classes: tuple[Label, ...] = ()


class Ask(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Score these columns. Questions are numbered, since an answer may come after its deadline."""

    number: int
    id: str
    shadow: bool
    columns: dict[str, list[Any]]


class Reply(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The answer to a question."""

    number: int
    told: Told


ToChild = Load | Ask
ToParent = Loaded | Reply

_encode = msgspec.msgpack.Encoder().encode
to_child: msgspec.msgpack.Decoder[ToChild] = msgspec.msgpack.Decoder(ToChild)
to_parent: msgspec.msgpack.Decoder[ToParent] = msgspec.msgpack.Decoder(ToParent)


def framed(message: ToChild | ToParent) -> bytes:
    """The bytes of one message."""
    body = _encode(message)
    return _LENGTH.pack(len(body)) + body


class Inbox:
    """Bytes as they arrive, cut into the bodies of messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def take(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are whole once ``data`` has come."""
        self._bytes += data
        start = 0
        while len(self._bytes) - start >= 4:
            (length,) = _LENGTH.unpack_from(self._bytes, start)
            if len(self._bytes) - start - 4 < length:
                break
            yield bytes(self._bytes[start + 4 : start + 4 + length])
            start += 4 + length
        del self._bytes[:start]
