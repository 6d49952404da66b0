"""BLAKE3 of bytes, written as 64 hexadecimal digits."""

from __future__ import annotations

import os
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NewType

import msgspec
from blake3 import blake3

Digest = NewType("Digest", str)

_MAPPED = 1 << 20  # bytes: below it reading is quicker than mapping
_canonical = msgspec.json.Encoder(order="deterministic")


def of_bytes(data: bytes | memoryview) -> Digest:
    """Digest of ``data``."""
    return Digest(blake3(data).hexdigest())


def of_file(path: str | Path) -> Digest:
    """Digest of a file's bytes, read through a memory map on all cores."""
    return Digest(blake3(max_threads=blake3.AUTO).update_mmap(path).hexdigest())


def of_open(handle: int) -> Digest:
    """Digest of an open file's bytes, whatever lies at its name by now. A large one is read as ``of_file`` reads."""
    size = os.fstat(handle).st_size
    if size < _MAPPED:
        return of_bytes(os.pread(handle, size, 0))
    try:
        mapped = mmap(handle, 0, access=ACCESS_READ)
    except ValueError:  # it was emptied since
        return of_bytes(os.pread(handle, size, 0))
    with mapped as whole:
        return Digest(blake3(max_threads=blake3.AUTO).update(whole).hexdigest())


def canonical_json(value: Any) -> bytes:
    """The one JSON form of a value: keys sorted, no spaces. What is hashed or named by digest is written so."""
    return _canonical.encode(value)


def of_value(value: Any) -> Digest:
    """Digest of a value's canonical JSON."""
    return of_bytes(canonical_json(value))


def is_digest(text: str) -> bool:
    """Whether ``text`` has the form of a digest."""
    return len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)
