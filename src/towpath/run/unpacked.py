"""The folder in which a run has its code. It goes with the run; that of a run that was killed, with the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "towpath-run-"
NEW_S = 60.0  # a folder is there for a moment before it is locked


@contextmanager
def folder() -> Iterator[Path]:
    """A new one, locked as long as this process lives: the kernel frees the lock of one that was killed, wherever it ran."""
    sweep(Path(tempfile.gettempdir()), time.time())
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        lock = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(lock)


def sweep(place: Path, now: float) -> None:
    """Remove those of this user's that nobody holds. ``now``: in seconds since 1970, as files have it."""
    for one in [place / name for name in os.listdir(place) if name.startswith(PREFIX)]:  # a third of what `glob` takes
        with suppress(OSError):  # of another user, or another process is at it
            if one.lstat().st_uid == os.getuid() and now - one.lstat().st_mtime > NEW_S and _is_free(one):
                shutil.rmtree(one, ignore_errors=True)


def _is_free(one: Path) -> bool:
    lock = os.open(one, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
