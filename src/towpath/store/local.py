"""A store in a folder: ``objects/ab/cdef...`` read-only, ``executions/ab/cdef....json``.

An object is written under a temporary name and renamed, so that its own name never holds half of it. Its bytes are
flushed by ``sync``, once for many: until then a loss of power can lose it, which the digest check on reading would show.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Lock

import msgspec

from towpath.digest import Digest, of_bytes, of_file
from towpath.errors import Unavailable
from towpath.store.port import Execution, corrupt, unknown
from towpath.store.transfer import copy, duplicate, flush, write_all

AT_ONCE = 1 << 20  # bytes: a smaller file is read whole, and written only if it is new
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

    def put(self, data: bytes) -> Digest:
        digest = of_bytes(data)
        if not self._known(digest):
            with self._explained(), self._temporary() as temporary:
                _write_new(temporary, data, 0o444)
                self._place(temporary, self._object(digest))
        return digest

    def put_file(self, path: Path) -> Digest:
        with path.open("rb", buffering=0) as file:  # whoever may not read it is told so of that file, not of the store
            if os.fstat(file.fileno()).st_size < AT_ONCE:
                return self.put(file.read())
        with self._explained(), self._temporary() as temporary:
            digest = copy(path, Path(temporary))
            if not self._known(digest):
                os.chmod(temporary, 0o444)
                self._place(temporary, self._object(digest))
        return digest

    def put_link(self, path: Path) -> Digest:
        """Keep a file that nobody will change any more by giving it one more name; it becomes read-only.

        It is copied where it lies on another disk.
        """
        digest = of_file(path)
        with self._explained(), self._temporary() as temporary:
            if self._known(digest):
                return digest
            try:
                os.link(path, temporary)
            except OSError:
                return self.put_file(path)
            os.chmod(temporary, 0o444)
            self._place(temporary, self._object(digest))
        return digest

    def get(self, digest: Digest) -> bytes:
        path = self.path(digest)
        with self._explained():
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                raise unknown(digest) from None
        if (found := of_bytes(data)) != digest:
            raise corrupt(digest, found, str(path))
        return data

    def get_file(self, digest: Digest, target: Path) -> None:
        path = self.path(digest)
        if not path.exists():
            raise unknown(digest)
        duplicate(path, target)
        if (found := of_file(target)) != digest:
            target.unlink()
            raise corrupt(digest, found, str(path))

    def get_link(self, digest: Digest, target: Path) -> None:
        """Make ``target`` one more name for an object, which stays read-only; its bytes are not read.

        Raises OSError where the target lies on another disk.
        """
        try:
            os.link(self.path(digest), target)
        except FileNotFoundError:
            raise unknown(digest) from None

    def has(self, digest: Digest) -> bool:
        return os.path.exists(self._object(digest))

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

    def remember(self, execution: Execution) -> None:
        with self._explained(), self._temporary() as temporary:
            _write_new(temporary, msgspec.json.encode(execution), 0o644)
            self._place(temporary, str(self._executions(execution.fingerprint)))

    def recall(self, fingerprint: Digest) -> Execution | None:
        try:
            execution = msgspec.json.decode(self._executions(fingerprint).read_bytes(), type=Execution)
        except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError):
            return None  # a lost or torn note costs one execution, never a wrong answer
        return execution if self.has(execution.output) else None

    def path(self, digest: Digest) -> Path:
        """Where the object lies, or would lie."""
        return Path(self._object(digest))

    def _executions(self, fingerprint: Digest) -> Path:
        return self.root / "executions" / fingerprint[:2] / f"{fingerprint[2:]}.json"

    def _object(self, digest: Digest) -> str:
        return f"{self._objects}/{digest[:2]}/{digest[2:]}"

    def _known(self, digest: Digest) -> bool:
        """Whether the object is there; if so it is flushed by the next sync, for who put it may not have come to that yet."""
        path = self._object(digest)
        if there := os.path.exists(path):
            with self._lock:
                self._unsynced.add(path)
        return there

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
