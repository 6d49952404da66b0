"""The times that a file system stamps on its files: its clock stands still between two ticks, and two writes in one of them look alike."""

from __future__ import annotations

import os
import time

TICK_NS = 50_000_000  # no file system's clock ticks slower
_LOOK_S = 0.0005


def wait_past(stamp_ns: int, folder: str) -> bool:
    """Wait until whatever is written in a folder from here on is stamped later than that stamp of the same file system.

    False, at once, where the stamp lies in the future, as ``touch`` can make it, or the file system's clock is ahead of this machine's.
    """
    while (earliest_ns := _earliest_ns(folder)) <= stamp_ns:
        if stamp_ns - earliest_ns > 2 * TICK_NS:
            return False
        time.sleep(_LOOK_S)
    return True


def _earliest_ns(folder: str) -> int:
    """The earliest stamp that anything written from now on can get: the file system is asked, by a file without a name, if it makes any."""
    try:
        handle = os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except (AttributeError, OSError):
        return time.time_ns() - TICK_NS
    try:
        return os.fstat(handle).st_mtime_ns
    finally:
        os.close(handle)


def is_old(stamp_ns: int) -> bool:
    """Whether whatever is written from now on, in any folder, is stamped later: told by this machine's clock alone."""
    return time.time_ns() - TICK_NS > stamp_ns
