"""Stores of a team: objects lie in a local store, and what is not there comes from a remote that all share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from towpath.digest import Digest
from towpath.errors import UnknownName
from towpath.store.port import Execution, Store
from towpath.store.remote.remote import Remote


class NearStore:
    """What is not here is fetched from the remote when it is asked for, and kept. What is put stays here, so that a remote that is down
    stops nobody who needs nothing from it."""

    def __init__(self, local: Store, remote: Remote) -> None:
        self.local, self.remote = local, remote

    def put(self, data: bytes) -> Digest:
        return self.local.put(data)

    def put_file(self, path: str | Path) -> Digest:
        return self.local.put_file(path)

    def get(self, digest: Digest) -> bytes:
        self._bring(digest)
        return self.local.get(digest)

    def get_file(self, digest: Digest, target: Path) -> None:
        self._bring(digest)
        self.local.get_file(digest, target)

    def has(self, digest: Digest) -> bool:
        return self.local.has(digest) or self.remote.knows(digest)

    def size(self, digest: Digest) -> int:
        if not self.local.has(digest) and self.remote.knows(digest):
            return self.remote.size(digest)
        return self.local.size(digest)

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        return {digest for digest in self.local.missing(digests) if not self.remote.knows(digest)}

    def bring(self, digests: Iterable[Digest]) -> None:
        """Fetch, in a few calls, those of these objects that are not here and that the remote has."""
        absent = self.local.missing(digests)
        if absent and (there := self.remote.has(absent)):
            self.remote.fetch(there, self.local)

    def sync(self) -> None:
        self.local.sync()

    def remember(self, execution: Execution) -> None:
        self.local.remember(execution)

    def recall(self, fingerprint: Digest) -> Execution | None:
        return self.local.recall(fingerprint)

    def _bring(self, digest: Digest) -> None:
        """Fetch an object that is not here; where the remote has not got it either, the local store says so."""
        if not self.local.has(digest):
            with suppress(UnknownName):
                self.remote.fetch([digest], self.local)


class TeamStore(NearStore):
    """Sends what is put as well: after ``sync`` it is there for the whole team, so a manifest that is put after one never names what
    others cannot get. Executions are shared by :mod:`towpath.store.shared`."""

    def __init__(self, local: Store, remote: Remote) -> None:
        super().__init__(local, remote)
        self._unsent: dict[Digest, int] = {}
        self._lock = Lock()

    def put(self, data: bytes) -> Digest:
        return self._noted(super().put(data), len(data))

    def put_file(self, path: str | Path) -> Digest:
        size = os.stat(path).st_size
        return self._noted(super().put_file(path), size)

    def sync(self) -> None:
        """Make everything put so far durable, here and in the remote.

        Raises:
            Unavailable: the remote did not take all of it; the next sync sends the rest.
        """
        super().sync()
        with self._lock:
            unsent = dict(self._unsent)
        if unsent:
            self.remote.push(self.local, unsent.items())
        with self._lock:
            for digest in unsent:
                self._unsent.pop(digest, None)

    def _noted(self, digest: Digest, size: int) -> Digest:
        with self._lock:
            self._unsent[digest] = size
        return digest
