"""Locks that the kernel frees when their holder dies, so that nobody ever deletes one by hand."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RUN, STAGING, OUTBOX = "run", "staging", "outbox"
STORE = "store"  # shared by all who put into the store what nothing names yet; alone, by who removes from it


class Lock:
    """A ``flock`` on a file: of one, or ``shared`` by many of whom none may be alone. Its text names a holder, for people only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def take(self, holder: str = "", *, shared: bool = False) -> bool:
        """Take the lock; False when another process holds it against us. Taking it twice is a success."""
        if self._file is not None:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        os.truncate(file, 0)
        os.write(file, holder.encode())
        self._file = file
        return True

    def release(self) -> None:
        """Let go; a child that inherited the file keeps the lock until it ends."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @contextmanager
    def held(self, holder: str = "", *, inherited: int | None = None, shared: bool = False) -> Iterator[bool]:
        """The lock for the length of a block; False when another holds it. ``inherited`` is its descriptor, from a parent that took it.

        >>> import tempfile
        >>> lock = Lock(Path(tempfile.mkdtemp()) / "run")
        >>> with lock.held("me") as mine:
        ...     mine, lock.is_free()
        (True, False)
        >>> lock.is_free()
        True
        """
        if inherited is not None:
            self.adopt(inherited)
        try:
            yield self.take(holder, shared=shared)
        finally:
            self.release()

    @property
    def file(self) -> int:
        """The descriptor, to hand to a child. Raises ValueError when the lock is not held."""
        if self._file is None:
            raise ValueError(f"the lock {self.path} is not held")
        return self._file

    def adopt(self, file: int) -> None:
        """Hold a lock whose descriptor was inherited from the parent."""
        self._file = file

    def holder(self) -> str:
        """What the last holder wrote of itself."""
        return self.path.read_text() if self.path.exists() else ""

    def is_free(self) -> bool:
        """Whether nobody holds it at this moment."""
        if self._file is not None:
            return False
        free = self.take(self.holder())
        self.release()
        return free


def lock_of(home: Path, kind: str) -> Lock:
    """The lock that whoever does this kind of work holds."""
    return Lock(home / "locks" / kind)
