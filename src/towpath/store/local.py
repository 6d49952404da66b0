"""A store in a folder: ``objects/ab/cdef...`` read-only, ``packs/*.pack`` of many small objects, ``executions/ab/cdef....json``.

An object is written under a temporary name and renamed, so that its own name never holds half of it. Its bytes are
flushed by ``sync``, once for many: until then a loss of power can lose it, which the digest check on reading would show.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Lock

import msgspec

from towpath.digest import Digest, of_bytes, of_file
from towpath.errors import Broken, TowpathError, Unavailable
from towpath.store.damage import Damage, damages, set_aside
from towpath.store.direct import write_all
from towpath.store.linking import linked
from towpath.store.noted import every, noted, path_of
from towpath.store.packs import Packing, Packs
from towpath.store.port import Execution, corrupt, unknown
from towpath.store.transfer import copy, flush
from towpath.store.whole import Collected, collect, objects

AT_ONCE = 1 << 20  # bytes: a smaller file is read whole, and written only if it is new
PACKED_UNDER = 128 << 10  # bytes: what is smaller goes into a pack, where many are put at once
_names = count()


class LocalStore:
    """Any number of processes may use the same folder at once.

    Raises:
        Unavailable: the folder cannot be read or written: a full disk, missing rights; no half object is left.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._objects = str(root / "objects")  # text, as putting a path together takes longer than asking the disk for it
        self._tmp = str(root / "tmp")
        self._unsynced: set[str] = set()
        self._lock = Lock()
        with self._explained():
            (root / "objects").mkdir(parents=True, exist_ok=True)
            (root / "tmp").mkdir(exist_ok=True)
        self._packs = Packs(root / "packs")

    def put(self, data: bytes) -> Digest:
        digest = of_bytes(data)
        if not self._known(digest):
            with self._explained(), self._temporary() as temporary:
                _write_new(temporary, data, 0o444)
                self._place(temporary, self._object(digest))
        return digest

    def put_file(self, path: str | Path) -> Digest:
        with open(path, "rb", buffering=0) as file:  # whoever may not read it is told so of that file, not of the store
            if os.fstat(file.fileno()).st_size < AT_ONCE:
                return self.put(file.read())
        with self._explained(), self._temporary() as temporary:
            digest = copy(path, Path(temporary))
            if not self._known(digest):
                os.chmod(temporary, 0o444)
                self._place(temporary, self._object(digest))
        return digest

    def put_link(self, path: str | Path) -> Digest:
        """Keep a file that nobody will change any more by giving it one more name; it becomes read-only.

        It is copied where ``linked`` cannot link it.
        """
        handle = os.open(path, os.O_RDONLY)
        try:
            digest = linked(handle, self._object)
        finally:
            os.close(handle)
        if digest is None:
            return self.put_file(path)
        with self._lock:
            self._unsynced.add(self._object(digest))
        return digest

    @contextmanager
    def packing(self) -> Iterator[Callable[[str | Path], Digest]]:
        """Gives a ``put_file`` whose small files go into packs: the way for thousands. They are there for readers when it ends."""
        packing = Packing(self.root / "packs", self.has, self._place)
        try:
            yield lambda path: self._pack(packing, path)
        except BaseException:
            packing.give_up()
            raise
        with self._explained():
            packing.end()

    def _pack(self, packing: Packing, path: str | Path) -> Digest:
        with open(path, "rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size >= PACKED_UNDER:
                return self.put_file(path)
            data = file.read()
        with self._explained():
            return packing.put(data)

    def get(self, digest: Digest) -> bytes:
        with self._explained():
            try:
                data, place = self.path(digest).read_bytes(), str(self.path(digest))
            except FileNotFoundError:
                data, place = self._packed(digest)
        if (found := of_bytes(data)) != digest:
            raise corrupt(digest, found, place)
        return data

    def check(self, digest: Digest) -> None:
        """Read an object without holding it in memory. Raises UnknownName, Broken."""
        with self._explained():
            try:
                found = of_file(self.path(digest))
            except FileNotFoundError:
                found = of_bytes(self._packed(digest)[0])
        if found != digest:
            raise corrupt(digest, found, str(self.path(digest)))

    def _packed(self, digest: Digest) -> tuple[bytes, str]:
        found = self._packs.find(digest)
        if found is None:
            raise self._absent(digest)
        pack, offset, size = found
        return pack.read(offset, size), f"{pack.path} at {offset:,}"

    def _absent(self, digest: Digest) -> TowpathError:
        """The error for an object that is nowhere; where a pack cannot be read, nobody can say that it was never there."""
        for fault in self._packs.broken.values():
            return Broken(f"object {digest} is not in the store, or was in a broken pack: {fault.what}", mend=fault.mend)
        return unknown(digest)

    def get_file(self, digest: Digest, target: Path) -> None:
        path = self.path(digest)
        if not path.exists() or path.stat().st_size < AT_ONCE:
            data = self.get(digest)
            with target.open("xb", buffering=0) as file:
                write_all(file.fileno(), data)
            return
        try:
            found = copy(path, target)
        except FileExistsError:
            raise
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        if found != digest:
            target.unlink()
            raise corrupt(digest, found, str(path))

    def get_link(self, digest: Digest, target: Path) -> None:
        """Make ``target`` one more name for an object, which stays read-only; its bytes are not read.

        Raises OSError where the target lies on another disk.
        """
        try:
            os.link(self.path(digest), target)
        except FileNotFoundError:
            raise (OSError("it lies in a pack") if self.has(digest) else self._absent(digest)) from None

    def has(self, digest: Digest) -> bool:
        return os.path.exists(self._object(digest)) or self._packs.find(digest) is not None

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        unpacked = set(digests)
        for pack in self._packs.all():
            unpacked -= pack.digests()
        return {digest for digest in unpacked if not os.path.exists(self._object(digest))}

    def size(self, digest: Digest) -> int:
        try:
            return os.stat(self._object(digest)).st_size
        except FileNotFoundError:
            found = self._packs.find(digest)
        if found is None:
            raise self._absent(digest)
        return found[2]

    def sync(self) -> None:
        with self._lock:
            paths, self._unsynced = self._unsynced, set()
        try:
            with self._explained():
                flush(paths, self.root)
        except Unavailable:
            with self._lock:
                self._unsynced |= paths  # so that no later sync calls them durable
            raise

    def objects(self) -> Iterator[tuple[Digest, int]]:
        """Every object that lies here, with its size in bytes; one that lies here twice is told twice."""
        return objects(self.root, self._packs.all())

    def damages(self, tell: Callable[[int], None] = lambda size: None) -> Iterator[Damage]:
        """Read everything that lies here; what is not what was written. ``tell`` gets the size of each object that was read."""
        return damages(self.root, self._packs.all(), self._packs.broken, tell)

    def set_aside(self, found: Iterable[Damage]) -> None:
        """Take what is damaged out of the store, so that it can be put again; the next `collect` removes it. Nobody may write meanwhile."""
        with self._explained():
            set_aside(self.root, found)

    def collect(self, live: Collection[Digest], *, dry_run: bool = False) -> Collected:
        """Remove every object that is not ``live``, and what cut-off writers left. Nobody may write meanwhile.

        Objects that live in a pack with others that do not are written into a new one before the old one goes.

        Raises:
            Broken: a pack cannot be read: what it holds may name what then would not seem to live.
        """
        packs = self._packs.all()
        for fault in self._packs.broken.values():
            raise fault
        with self._explained():
            return collect(self.root, packs, live, dry_run=dry_run)

    def remember(self, execution: Execution) -> None:
        with self._explained(), self._temporary() as temporary:
            _write_new(temporary, msgspec.json.encode(execution), 0o644)
            self._place(temporary, str(path_of(self.root, execution.fingerprint)))

    def executions(self) -> Iterator[Execution]:
        """Every execution that is noted and whose note can be read."""
        return every(self.root)

    def recall(self, fingerprint: Digest) -> Execution | None:
        execution = noted(self.root, fingerprint)
        return execution if execution and self.has(execution.output) else None

    def path(self, digest: Digest) -> Path:
        """Where the object lies, or would lie."""
        return Path(self._object(digest))

    def _object(self, digest: Digest) -> str:
        return f"{self._objects}/{digest[:2]}/{digest[2:]}"

    def _known(self, digest: Digest) -> bool:
        """Whether the object is there; if so it is flushed by the next sync, for who put it may not have come to that yet."""
        path = self._object(digest)
        if os.path.exists(path):
            with self._lock:
                self._unsynced.add(path)
            return True
        return self._packs.find(digest) is not None

    @contextmanager
    def _temporary(self) -> Iterator[str]:
        """A free name for a file; what is still there at the end is removed."""
        path = f"{self._tmp}/{os.getpid()}-{next(_names)}-{os.urandom(4).hex()}"
        try:
            yield path
        finally:
            with suppress(FileNotFoundError):
                os.unlink(path)

    def _place(self, temporary: str, final: str) -> None:
        try:
            os.rename(temporary, final)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(final), exist_ok=True)
            os.rename(temporary, final)
        with self._lock:
            self._unsynced.add(final)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            mend = "look at the disk's free space and at who may write to that folder, then try again"
            raise Unavailable(f"the store {self.root} cannot be used: {fault}", mend=mend) from fault


def _write_new(path: str, data: bytes, mode: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        write_all(file, data)
    finally:
        os.close(file)
