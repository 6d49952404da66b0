"""What a team executed: small bundles beside the packs, each read once, as none ever changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from towpath.digest import Digest
from towpath.store.remote import keys
from towpath.store.remote.batches import Batch, Signed, Told, bundle, opened, told
from towpath.store.remote.bucket import Bucket, Stored
from towpath.store.remote.index import Name, digest_of, name_of
from towpath.store.remote.parallel import in_parallel
from towpath.store.remote.plan import CRUMB, CRUMBS

KEPT = timedelta(days=28)  # an execution is found, and what it made is kept, for so long; who then needs it makes and tells it again
READERS = 8

Batches = list[tuple[Signed, Batch]]


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What a gc of executions did, or with ``dry_run`` would do. ``outputs`` are of those that are kept."""

    dry_run: bool
    kept: int
    dropped: int
    outputs: dict[Digest, str] = {}  # with the codec of each

    def __str__(self) -> str:
        would = "would be " if self.dry_run else ""
        return f"{self.kept:,} executions of the last {KEPT.days} days kept, {self.dropped:,} older ones {would}forgotten"


class Executions:
    """Executions in a bucket. Any number of clients may add, look and forget at once.

    ``cache`` is a folder of this client where bundles are kept; threads and processes may share it. What somebody else wrote there, or
    a later version, is passed over: an execution that is not found costs its time, never a wrong answer.
    """

    def __init__(self, bucket: Bucket, cache: Path | None = None) -> None:
        self.bucket, self.cache = bucket, cache
        self._read: dict[Name, Batches] = {}
        self._found: dict[Digest, list[Told]] = {}

    def add(self, batch: Signed) -> None:
        """Tell the team of a batch. What it made must be in the remote before."""
        digest, data = bundle([batch])
        self.bucket.put(keys.of_bundle(digest), data)

    def look(self) -> None:
        """Read what is new: a listing, and a call for each new bundle. Raises as every call of a bucket."""
        files = self._listed()
        self._take(files, self._there)
        if self.cache and self.cache.is_dir():
            for path in [path for path in self.cache.iterdir() if keys.name_in(path.name) not in files]:
                path.unlink(missing_ok=True)

    def look_here(self) -> None:
        """Find what the last look found, without asking the bucket."""
        here = [keys.name_in(path.name) for path in self.cache.iterdir()] if self.cache and self.cache.is_dir() else []
        self._take({name for name in here if name}, self._here)

    def of(self, fingerprint: Digest) -> list[Told]:
        """All that is told of a fingerprint, the oldest first, as of the last look."""
        return sorted(self._found.get(fingerprint, ()), key=lambda one: (one.at, one.execution.output))

    def forget(self, now: datetime, *, dry_run: bool = False) -> Forgotten:
        """Drop batches that are older than ``KEPT``, and put small bundles together if there are many, as each costs a reader a call."""
        files = self._listed()
        self._take(files, self._there)
        young = {name: [one for one in self._read[name] if now - min(one[1].at, files[name].at) < KEPT] for name in self._read}
        stale = {name for name in young if len(young[name]) < len(self._read[name]) or not young[name]}
        small = {name for name in young if files[name].size < CRUMB}
        merge = stale | (small if len(small) >= CRUMBS else set())
        if merge and not dry_run:
            self._merge(merge, [signed for name in sorted(merge) for signed, _ in young[name]])
        kept = [one for batches in young.values() for _, batch in batches for one in batch.executions]
        total = sum(len(batch.executions) for batches in self._read.values() for _, batch in batches)
        return Forgotten(dry_run=dry_run, kept=len(kept), dropped=total - len(kept), outputs={one.output: one.codec for one in kept})

    def _merge(self, names: set[Name], batches: list[Signed]) -> None:
        """One bundle for several; it is there before they go, so that nobody misses one."""
        if batches:
            digest, data = bundle(dict.fromkeys(batches))
            self.bucket.put(keys.of_bundle(digest), data)
            names = names - {name_of(digest)}
        self.bucket.delete(keys.of_bundle(digest_of(name)) for name in sorted(names))

    def _listed(self) -> dict[Name, Stored]:
        named = ((keys.name_in(stored.key), stored) for stored in self.bucket.list(keys.EXECUTIONS))
        return {name: stored for name, stored in named if name is not None}

    def _take(self, names: Collection[Name], read: Callable[[Digest], Batches | None]) -> None:
        known = {name: batches for name, batches in self._read.items() if name in names}
        new = in_parallel(lambda name: (name, read(digest_of(name))), set(names) - known.keys(), READERS)
        self._read = known | {name: batches for name, batches in new if batches is not None}
        self._found = {}
        for one in _all(self._read.values()):
            self._found.setdefault(one.execution.fingerprint, []).append(one)

    def _here(self, digest: Digest) -> Batches | None:
        with suppress(FileNotFoundError):
            return opened(digest, (self.cache / digest).read_bytes()) if self.cache else None
        return None

    def _there(self, digest: Digest) -> Batches | None:
        """None where it is gone by now, or is not what was written."""
        if batches := self._here(digest):
            return batches
        data = self.bucket.get(keys.of_bundle(digest))
        batches = None if data is None else opened(digest, data)
        if data and batches and self.cache:
            self.cache.mkdir(parents=True, exist_ok=True)
            half = self.cache / f"{digest}.{os.urandom(4).hex()}"
            half.write_bytes(data)
            half.rename(self.cache / digest)
        return batches


def _all(bundles: Iterable[Batches]) -> Iterator[Told]:
    return (one for batches in bundles for signed, batch in batches for one in told(signed, batch))
