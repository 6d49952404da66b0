"""A worker's spool: append-only files of JSON lines, written before each reply, from which the committer fills the journal.

A line is one ``write``: once it returned, the line outlives the process, whatever kills it. (A loss of power may take the
last second: nothing is flushed to the disk a request.) The worker holds a lock on its open segment, which the kernel
frees at its death; so whoever gets the lock knows that the segment is complete.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from towpath.errors import Unavailable

SUFFIX = ".jsonl"
SEGMENT_BYTES = 16 << 20


class Spool:
    """One writer's segments in ``folder``; a new one is begun when the open one is full.

    Args:
        folder: shared by all writers of one kind of row.
        segment_bytes: a segment over this size is closed after the line that filled it.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.segment_bytes = folder, segment_bytes
        self.writer = uuid.uuid4().hex[:16]
        self._number, self._size = 0, 0
        self._file = -1
        self._begin()

    def append(self, lines: bytes) -> None:
        """Write whole lines, each ended by a newline.

        Raises:
            Unavailable: they could not be written; none of them is in the spool.
        """
        try:
            written = os.write(self._file, lines)
        except OSError as fault:
            raise _full(self.folder, fault.strerror or str(fault)) from fault
        if written != len(lines):
            os.ftruncate(self._file, self._size)
            raise _full(self.folder, f"{written} of {len(lines)} bytes were written")
        self._size += written
        if self._size >= self.segment_bytes:
            self.close()
            self._begin()

    def close(self) -> None:
        """Close the open segment; what has no line is removed."""
        if self._file >= 0:
            if self._size == 0:
                self._path().unlink(missing_ok=True)
            os.close(self._file)
            self._file = -1

    def _path(self) -> Path:
        return self.folder / f"{self.writer}-{self._number:06d}{SUFFIX}"

    def _begin(self) -> None:
        self._number, self._size = self._number + 1, 0
        # it gets its name once it is locked: a named segment without a lock is a dead writer's
        hidden = self._path().with_suffix(".new")
        self._file = os.open(hidden, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        hidden.rename(self._path())


@contextmanager
def segment(path: Path) -> Iterator[tuple[int, bool]]:
    """A segment opened for reading, and whether its writer is gone. The lock is held meanwhile, if it was free."""
    file = os.open(path, os.O_RDONLY)
    try:
        yield file, _locked(file)
    finally:
        os.close(file)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _full(folder: Path, because: str) -> Unavailable:
    return Unavailable(f"the spool {folder} took no line: {because}", mend="free some space on its disk")
