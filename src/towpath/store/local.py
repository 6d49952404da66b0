"""A store in a folder: ``objects/ab/cdef...`` read-only, ``executions/ab/cdef....json``.

An object is written under a temporary name and renamed, so that its own name never holds half of it. Its bytes are
flushed by ``sync``, once for many: until then a loss of power can lose it, which the digest check on reading would show.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from threading import Lock

import msgspec

from towpath.digest import Digest, of_bytes, of_file
from towpath.store.port import Execution, corrupt, unknown


class LocalStore:
    """Any number of processes may use the same folder at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unsynced: set[Path] = set()
        self._lock = Lock()
        (root / "objects").mkdir(parents=True, exist_ok=True)
        (root / "tmp").mkdir(exist_ok=True)

    def put(self, data: bytes) -> Digest:
        digest = of_bytes(data)
        if not self.has(digest):
            self._place(self._temporary(data), self.path(digest), mode=0o444)
        return digest

    def put_file(self, path: Path) -> Digest:
        copy = self._temporary(b"")
        shutil.copyfile(path, copy)
        digest = of_file(copy)  # of the copy: the original may change while it is read
        if self.has(digest):
            copy.unlink()
        else:
            self._place(copy, self.path(digest), mode=0o444)
        return digest

    def get(self, digest: Digest) -> bytes:
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise unknown(digest) from None
        if (found := of_bytes(data)) != digest:
            raise corrupt(digest, found, str(path))
        return data

    def has(self, digest: Digest) -> bool:
        return self.path(digest).exists()

    def sync(self) -> None:
        with self._lock:
            paths, self._unsynced = self._unsynced, set()
        for path in sorted(paths | {path.parent for path in paths}):
            _flush(path)

    def remember(self, execution: Execution) -> None:
        place = self._executions(execution.fingerprint)
        self._place(self._temporary(msgspec.json.encode(execution)), place, mode=0o644)

    def recall(self, fingerprint: Digest) -> Execution | None:
        try:
            execution = msgspec.json.decode(self._executions(fingerprint).read_bytes(), type=Execution)
        except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError):
            return None  # a lost or torn note costs one execution, never a wrong answer
        return execution if self.has(execution.output) else None

    def path(self, digest: Digest) -> Path:
        """Where the object lies, or would lie."""
        return self.root / "objects" / digest[:2] / digest[2:]

    def _executions(self, fingerprint: Digest) -> Path:
        return self.root / "executions" / fingerprint[:2] / f"{fingerprint[2:]}.json"

    def _temporary(self, data: bytes) -> Path:
        handle, name = tempfile.mkstemp(dir=self.root / "tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        return Path(name)

    def _place(self, temporary: Path, final: Path, *, mode: int) -> None:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(mode)
        temporary.replace(final)
        with self._lock:
            self._unsynced.add(final)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
