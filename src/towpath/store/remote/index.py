"""What a push added to a remote, as one object that never changes: packs with their blobs, and large objects with their chunks (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec
from blake3 import blake3

from towpath.digest import Digest, of_bytes
from towpath.errors import Broken, UsageError

FORM: Literal[1] = 1

Name = bytes  # a digest as 32 bytes: there may be millions of them in memory


class Blob(NamedTuple):
    """A small object, or a chunk of a large one."""

    digest: Name
    size: int


class Pack(msgspec.Struct, frozen=True, array_like=True):
    """Blobs that lie one after another in one object of the bucket."""

    name: Name
    blobs: list[Blob]

    @property
    def size(self) -> int:
        return sum(blob.size for blob in self.blobs)


class Large(msgspec.Struct, frozen=True, array_like=True):
    """An object that is kept as chunks: in which order."""

    digest: Name
    chunks: list[Name]


class Index(msgspec.Struct, frozen=True, array_like=True):
    """``replaces``: indices that count no longer where this one is there. ``mark`` makes each unlike any before, replaced ones too."""

    form: Literal[1]
    packs: list[Pack]
    large: list[Large]
    replaces: list[Name]
    mark: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Index).decode


def name_of(digest: Digest) -> Name:
    """A digest as 32 bytes."""
    return bytes.fromhex(digest)


def digest_of(name: Name) -> Digest:
    """32 bytes as a digest."""
    return Digest(name.hex())


def pack_of(blobs: list[Blob], taken: Iterable[Name]) -> Pack:
    """The pack of these blobs. Its name says what is in it, and is not among ``taken``: names of packs that are to be deleted.

    >>> blob = Blob(bytes(32), 4)
    >>> first = pack_of([blob], ())
    >>> first == pack_of([blob], ()), first == pack_of([blob], {first.name})
    (True, False)
    """
    contents = _encode(blobs)
    name = blake3(contents).digest()
    while name in taken:
        name = blake3(name + contents).digest()
    return Pack(name, blobs)


def encoded(packs: Iterable[Pack], large: Iterable[Large], replaces: Iterable[Name] = (), *, mark: bytes) -> tuple[Digest, bytes]:
    """An index as bytes, with the digest that is its name."""
    data = _encode(Index(FORM, list(packs), list(large), sorted(replaces), mark))
    return of_bytes(data), data


def decoded(digest: Digest, data: bytes, place: str) -> Index:
    """The index ``digest`` whose bytes came from ``place``.

    Raises:
        Broken: the bytes do not give the digest.
        UsageError: a later version of Towpath wrote it.
    """
    if (found := of_bytes(data)) != digest:
        raise Broken(
            f"{place} is corrupt: its bytes give {found}",
            mend="try again; if it stays, delete it, then `towpath data push` where the data still are",
        )
    try:
        return _decode(data)
    except msgspec.DecodeError as fault:  # the digest is right, so this is what somebody wrote
        raise UsageError(f"{place} is of a form that this version cannot read: {fault}", mend="install the newest Towpath") from fault
