"""Putting a large object together again from its chunks, in a file where what was read before stays."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3

from towpath.digest import Digest
from towpath.errors import Broken, Unavailable
from towpath.store.port import Store
from towpath.store.remote.bucket import Bucket
from towpath.store.remote.contents import Contents
from towpath.store.remote.index import Name, digest_of
from towpath.store.remote.ondisk import OnDisk
from towpath.store.remote.parallel import in_parallel
from towpath.store.remote.progress import Meter
from towpath.store.remote.spans import Span, read, spans

READERS = 4


class Copy(NamedTuple):
    """A file of this machine that holds a chunk, and where in it."""

    path: Path
    start: int


class Assembly:
    """Large objects into a store, by way of the folder ``scratch``; threads and processes may share it.

    ``here`` are chunks that large objects of the store hold already, as ``local_chunks`` finds them.
    """

    def __init__(self, bucket: Bucket, contents: Contents, into: Store, scratch: Path, here: Mapping[Name, Copy], meter: Meter) -> None:
        self.bucket, self.contents, self.into, self.scratch, self.here, self.meter = bucket, contents, into, scratch, here, meter

    def build(self, digest: Digest) -> None:
        """Make one object.

        Raises:
            Gone, Broken: as ``read``.
            Unavailable: ``scratch`` cannot be written.
        """
        with self._explained(), self._part(digest) as (path, file):
            if self.into.has(digest):  # another process made it while this one waited
                path.unlink(missing_ok=True)
                return
            self._fill(file, self._lacking(file, digest))
            kept = self.into.put_link(path) if isinstance(self.into, OnDisk) else self.into.put_file(path)
            path.unlink()
            if kept != digest:
                raise Broken(
                    f"the chunks of object {digest} in {self.bucket.place} give {kept}",
                    mend="the index that names it says wrong: delete that, then `towpath data push` where the data still are",
                )

    def _lacking(self, file: int, digest: Digest) -> dict[Name, list[int]]:
        """Chunks that are not in the file yet, with each place where they belong."""
        lacking: dict[Name, list[int]] = {}
        start = 0
        for name in self.contents.blobs(digest):
            size = self.contents.places[name].size
            if blake3(os.pread(file, size, start)).digest() == name:
                self.meter.add(done=size)
            else:
                lacking.setdefault(name, []).append(start)
            start += size
        os.ftruncate(file, start)
        return lacking

    def _fill(self, file: int, lacking: dict[Name, list[int]]) -> None:
        places = self.contents.places
        far = {name: places[name] for name, starts in lacking.items() if not self._copied(file, name, starts)}

        def write(span: Span) -> int:
            for name, blob in read(self.bucket, span):
                self._write(file, blob, lacking[name])
            return span.end - span.start

        for sent in in_parallel(write, spans(far), READERS):
            self.meter.add(sent=sent)

    def _copied(self, file: int, name: Name, starts: list[int]) -> bool:
        if (copy := self.here.get(name)) is None:
            return False
        with copy.path.open("rb", buffering=0) as source:
            blob = os.pread(source.fileno(), self.contents.places[name].size, copy.start)
        if blake3(blob).digest() != name:
            return False  # the object that it was to come from is damaged: `verify` tells of that, here the remote has it
        self._write(file, memoryview(blob), starts)
        return True

    def _write(self, file: int, blob: memoryview, starts: list[int]) -> None:
        for start in starts:
            rest, at = blob, start
            while rest:
                written = os.pwrite(file, rest, at)
                rest, at = rest[written:], at + written
            self.meter.add(done=len(blob))

    @contextmanager
    def _part(self, digest: Digest) -> Iterator[tuple[Path, int]]:
        """The file where an object grows, held by this process alone."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        path = self.scratch / digest
        while True:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if path.exists() and path.stat().st_ino == os.fstat(file).st_ino:
                    yield path, file
                    return
            finally:
                os.close(file)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            raise Unavailable(
                f"the folder {self.scratch} cannot be written: {fault}",
                mend="look at the disk's free space and at who may write to that folder; the same command goes on where this one ended",
            ) from fault


def local_chunks(contents: Contents, store: Store, wanted: set[Name]) -> dict[Name, Copy]:
    """Those chunks that large objects of the store hold already."""
    found: dict[Name, Copy] = {}
    if not isinstance(store, OnDisk):
        return found
    for large, chunks in contents.large.items():
        if wanted.isdisjoint(chunks) or not store.has(digest_of(large)):
            continue
        start = 0
        for chunk in chunks:
            if chunk not in contents.places:
                break  # from here on it is not known where a chunk begins
            found[chunk] = Copy(store.path(digest_of(large)), start)
            start += contents.places[chunk].size
    return found
