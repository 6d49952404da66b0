"""What the tests of the remote share: bytes, buckets that do something at a chosen call, and a client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from blake3 import blake3

from towpath.store.local import LocalStore
from towpath.store.memory import MemoryStore
from towpath.store.remote import Remote
from towpath.store.remote.cloud import CloudBucket
from towpath.store.remote.folder import FolderBucket

START = datetime(2027, 4, 1, tzinfo=UTC)
VERBS = ("put", "get", "size", "list", "delete")


def bucket_at(place):
    """The bucket of a URL, or a folder."""
    return CloudBucket(place) if "://" in str(place) else FolderBucket(Path(place))


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that no cut has seen before; the same for a seed."""
    return blake3(b"%d" % seed).digest(size)


class HandClock:
    """Stands until somebody moves it."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def pass_(self, days: float) -> None:
        self.time += timedelta(days=days)


class Watched:
    """A bucket that calls ``before(number, verb, key)`` ahead of every call that it passes on."""

    def __init__(self, bucket, before) -> None:
        self._bucket, self._before, self.calls, self.place = bucket, before, 0, bucket.place

    def __getattr__(self, verb):
        call = getattr(self._bucket, verb)
        if verb not in VERBS:
            return call

        def watched(*arguments, **options):
            self.calls += 1
            self._before(self.calls, verb, arguments[0])
            return call(*arguments, **options)

        return watched


class Client:
    """One machine: a store of its own, and the remote that it shares."""

    def __init__(self, folder, bucket) -> None:
        """Without a folder all is in memory, which is quicker."""
        self.store, self.bucket = LocalStore(folder / "store") if folder else MemoryStore(), bucket
        self.remote = Remote(bucket, folder and folder / "remote")

    def add(self, *data: bytes) -> dict:
        """Keep objects locally; their sizes by digest."""
        return {self.store.put(one): len(one) for one in data}

    def push(self, objects, **options):
        return self.remote.push(self.store, objects.items(), **options)

    def fetch(self, objects, **options):
        return self.remote.fetch(objects, self.store, **options)

    def holds(self, objects) -> bool:
        return all(len(self.store.get(digest)) == size for digest, size in objects.items())
