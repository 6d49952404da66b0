"""What a bucket is: the five verbs that a remote needs of a place for bytes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, Protocol

from towpath.errors import UsageError


class Stored(NamedTuple):
    """What lies under a key: bytes, and when it was written by the bucket's own clock (UTC)."""

    key: str
    size: int
    at: datetime


class Bucket(Protocol):
    """Bytes under keys with ``/``. Each put is whole or not at all, and seen by every later call of anyone.

    Calls may come from several threads at once. Faults that pass are tried again for a while before a call fails.

    Raises, every verb:
        Unavailable: the place did not answer, or is full; says which place and what was tried.
        UsageError: the credentials are wrong or may not do this, or there is no such bucket.
    """

    place: str  # as a person names it

    def put(self, key: str, data: bytes | bytearray, *, new: bool = False) -> bool:
        """Write ``data``. With ``new`` only where nothing is yet: False if something was there, which then stays."""
        ...

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes | None:
        """The bytes from ``start`` up to ``end``, or to the last; None where there is no such key."""
        ...

    def size(self, key: str) -> int | None:
        """Bytes under a key; None where there is no such key."""
        ...

    def list(self, folder: str, after: str = "") -> Iterator[Stored]:
        """All keys that begin with ``folder`` and a ``/`` and stand behind ``after`` in the order of bytes; themselves in no order."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Remove keys; those that are not there too."""
        ...


def prove(bucket: Bucket) -> None:
    """See that a bucket keeps its word on ``put(new=True)``, without which two writers would overwrite each other unseen.

    Raises:
        UsageError: it does not.
    """
    key = f"probe/{os.urandom(8).hex()}"
    first, second = bucket.put(key, b"first", new=True), bucket.put(key, b"second", new=True)
    kept = bucket.get(key)
    with suppress(UsageError):  # who may write, yet not delete, can push all the same
        bucket.delete([key])
    if second:
        raise UsageError(
            f"{bucket.place} ignores conditional writes: of two that were each to be the first, it said of both that they were",
            mend="use a store that honours If-None-Match (S3, GCS, Azure, MinIO, SeaweedFS, Ceph), or a folder",
        )
    if not first or kept != b"first":
        raise UsageError(f"{bucket.place} does not keep what is written: {kept!r} came back", mend="look what else writes there")
