"""Reading what a remote has: the list of its indices each time, an index itself once, as it never changes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock

from towpath.digest import Digest
from towpath.errors import Broken, Unavailable, UsageError
from towpath.store.remote import keys
from towpath.store.remote.bucket import Bucket, Stored, prove
from towpath.store.remote.contents import Contents
from towpath.store.remote.index import FORM, Index, Large, Name, Pack, decoded, digest_of, encoded
from towpath.store.remote.plan import Found

TRIES = 5  # a gc may remove an index between the listing and the reading: then the listing is read again
READERS = 8


class Catalogue:
    """``cache`` is a folder of this client where indices are kept; threads and processes may share it."""

    def __init__(self, bucket: Bucket, cache: Path | None = None) -> None:
        self.bucket, self.cache, self._lock = bucket, cache, Lock()
        self._read: dict[Name, Index] = {}
        self._last: tuple[frozenset[Name], frozenset[Name], Contents] | None = None

    def contents(self) -> Contents:
        """What the remote has now.

        Raises:
            Broken: an index is not what was written.
            Unavailable, UsageError: as every call of a bucket.
        """
        with self._lock:
            files, notes = self._look()
            key = (frozenset(files), frozenset(notes))
            if self._last is None or self._last[:2] != key:
                self._last = (*key, Contents(self._indices(files), notes))
            return self._last[2]

    def seen(self) -> Contents:
        """What the remote had when it was last looked at; if never, what it has now."""
        last = self._last
        return last[2] if last else self.contents()

    def found(self) -> Found:
        """All that lies there, as a gc must know it. Packs are listed last, so that none that an index names is missing among them."""
        with self._lock:
            files, notes = self._look()
            indices = self._indices(files)
        return Found(indices, files, notes, _named(self.bucket, keys.PACKS))

    def _look(self) -> tuple[dict[Name, Stored], dict[Name, Stored]]:
        """Indices, all of them read, and notes: these last, so that a push that ends with this look misses none."""
        for _ in range(TRIES):
            files = _named(self.bucket, keys.INDEX)
            if self._load(files.keys()):
                return files, _named(self.bucket, keys.CONDEMNED)
        raise Unavailable(f"the indices of {self.bucket.place} change faster than they can be read", mend="try again")

    def _indices(self, names: Iterable[Name]) -> dict[Digest, Index]:
        return {digest_of(name): self._read[name] for name in names}

    def add(self, packs: Iterable[Pack], large: Iterable[Large], replaces: Iterable[Name] = ()) -> int:
        """Write an index; here it is read already. Its size in bytes."""
        digest, data = encoded(packs, large, replaces, mark=os.urandom(8))
        self.bucket.put(keys.of_index(digest), data)
        self._keep(digest, data)
        return len(data)

    def prepare(self) -> None:
        """Before the first write of all: see that the bucket honours conditional writes.

        Raises:
            UsageError: it does not, or a later version of Towpath wrote there.
        """
        form = self.bucket.get(keys.FORM)
        if form is None:
            prove(self.bucket)
            self.bucket.put(keys.FORM, b"%d\n" % FORM)
        elif form.strip() != b"%d" % FORM:
            raise UsageError(
                f"{self.bucket.place} is of form {form[:20]!r}, this version writes form {FORM}",
                mend="install the newest Towpath, or name another place",
            )

    def _load(self, names: Set[Name]) -> bool:
        """Read all these indices; False if one is gone."""
        self._read = {name: index for name, index in self._read.items() if name in names}
        missing = sorted(names - self._read.keys())
        if not missing:
            return True
        with ThreadPoolExecutor(READERS) as pool:
            found = dict(zip(missing, pool.map(self._index, missing), strict=True))
        self._read |= {name: index for name, index in found.items() if index is not None}
        return None not in found.values()

    def _index(self, name: Name) -> Index | None:
        digest = digest_of(name)
        if self.cache and (kept := _kept(self.cache / digest, digest)):
            return kept
        key = keys.of_index(digest)
        data = self.bucket.get(key)
        return None if data is None else self._keep(digest, data)

    def _keep(self, digest: Digest, data: bytes) -> Index:
        index = decoded(digest, data, f"{self.bucket.place}/{keys.of_index(digest)}")
        if self.cache:
            self.cache.mkdir(parents=True, exist_ok=True)
            half = self.cache / f"{digest}.{os.urandom(4).hex()}"
            half.write_bytes(data)
            half.rename(self.cache / digest)
        return index


def _kept(path: Path, digest: Digest) -> Index | None:
    with suppress(FileNotFoundError, Broken):  # what a crash left half written is read again from the remote
        return decoded(digest, path.read_bytes(), str(path))
    return None


def _named(bucket: Bucket, folder: str) -> dict[Name, Stored]:
    named = ((keys.name_in(stored.key), stored) for stored in bucket.list(folder))
    return {name: stored for name, stored in named if name is not None}
