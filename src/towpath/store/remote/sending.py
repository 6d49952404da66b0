"""Blobs on their way into a remote: gathered into packs, packs uploaded several at a time, then an index that names them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from towpath.store.remote import keys
from towpath.store.remote.catalogue import Catalogue
from towpath.store.remote.contents import Contents
from towpath.store.remote.index import Blob, Large, Name, Pack, pack_of

PACK = 16 << 20  # bytes: beside it a request costs little, and little is lost when one fails
UPLOADS = 4  # packs at a time; so some 200 MB of memory whatever is pushed
PACKS_AN_INDEX = 32  # a push that is killed goes on from the last index


class Sending:
    """What is not in ``contents`` yet, nor comes twice, is sent. A ``with`` block, at whose good end everything is there and named.

    A pack that a killed push left is found by its name and not sent again.
    """

    def __init__(self, catalogue: Catalogue, contents: Contents, sent: Callable[[int], None]) -> None:
        self.catalogue, self.contents, self._sent = catalogue, contents, sent
        self._pool = ThreadPoolExecutor(UPLOADS)
        self._going: deque[Future[int]] = deque()
        self._seen: set[Name] = set()
        self._blobs: list[Blob] = []
        self._data = bytearray()
        self._packs: list[Pack] = []
        self._large: list[Large] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._conclude()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def blob(self, name: Name, data: bytes | memoryview) -> None:
        """Send a blob, unless it is there."""
        if name in self._seen or self.contents.keeps_blob(name):
            return
        if self._blobs and len(self._data) + len(data) > PACK:
            self._ship()
        if len(self._packs) >= PACKS_AN_INDEX:
            self._conclude()
        self._seen.add(name)
        self._blobs.append(Blob(name, len(data)))
        self._data += data

    def large(self, large: Large) -> None:
        """Name an object whose chunks were all given to ``blob``."""
        self._large.append(large)

    def _ship(self) -> None:
        pack, data = pack_of(self._blobs, self.contents.condemned), self._data
        self._blobs, self._data = [], bytearray()
        self._packs.append(pack)
        if len(self._going) >= UPLOADS:
            self._sent(self._going.popleft().result())
        self._going.append(self._pool.submit(self._upload, pack, data))

    def _upload(self, pack: Pack, data: bytearray) -> int:
        bucket, key = self.catalogue.bucket, keys.of_pack(pack.name)
        if bucket.size(key) == len(data):
            return 0
        bucket.put(key, data)
        return len(data)

    def _conclude(self) -> None:
        """All packs so far are there: name them."""
        if self._blobs:
            self._ship()
        while self._going:
            self._sent(self._going.popleft().result())
        if self._packs or self._large:
            self._sent(self.catalogue.add(self._packs, self._large))
        self._packs, self._large = [], []
