"""The project's clock, which rules all policy, and the machine's, which rules latency and timeouts.

No policy reads any other clock: a function that decides takes ``now`` as an argument, and the shell gets it here.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """The project's clock."""

    def now(self) -> datetime:
        """The project's time, in UTC and timezone-aware; it never goes back."""
        ...


class WallClock:
    """The project's time is the world's."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ReplayClock:
    """A clock that a replayer sets and every process of the replay reads.

    The time is eight bytes (microseconds since 1970, little-endian) in a memory-mapped file: one writer, read without
    a system call, and an aligned store of eight bytes is seen whole.
    """

    def __init__(self, path: Path, *, start: datetime | None = None) -> None:
        if start is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(struct.pack("<q", _micros(start)))
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), 8)

    def now(self) -> datetime:
        return _EPOCH + timedelta(microseconds=struct.unpack("<q", self._bytes[:8])[0])

    def set(self, to: datetime) -> None:
        """Move the clock on. Raises ValueError when ``to`` lies before ``now``: time never goes back."""
        if to < self.now():
            raise ValueError(f"the replay's clock is at {self.now().isoformat()} and cannot go back to {to.isoformat()}")
        self._bytes[:8] = struct.pack("<q", _micros(to))


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def machine_s() -> float:
    """The machine's monotonic clock in seconds: for latency and timeouts only; comparable within one boot."""
    return time.monotonic()


def boot_id() -> str:
    """Names the boot that ``machine_s`` counts from, so that a run of an earlier boot is known to be lost."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"boot-of-{os.uname().nodename}"
