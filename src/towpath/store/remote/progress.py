"""How far a transfer is, and what it did: values that print as people read them."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from towpath.quantities import size_in_words


class Progress(NamedTuple):
    """``done`` of ``total`` bytes are there, whether they were sent or found; ``sent`` went over the wire.

    >>> print(Progress(done=500_000_000, total=2_000_000_000, sent=24_000_000, seconds=2.0))
    500.0 MB of 2.0 GB, 12.0 MB/s
    """

    done: int
    total: int
    sent: int
    seconds: float

    @property
    def rate(self) -> float:
        """Bytes a second over the wire."""
        return self.sent / self.seconds if self.seconds > 0 else 0.0

    def __str__(self) -> str:
        return f"{size_in_words(self.done)} of {size_in_words(self.total)}, {size_in_words(self.rate)}/s"


Tell = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Tell nobody."""


class Moved(NamedTuple):
    """What a push or a fetch did. ``objects`` of ``size`` bytes were not there before; ``sent`` bytes went over the wire for them.

    >>> print(Moved(objects=3, size=2_000_000_000, sent=24_000_000, seconds=2.0))
    3 objects of 2.0 GB, 24.0 MB over the wire in 2.0 s
    >>> print(Moved(0, 0, 0, 0.1))
    nothing new
    """

    objects: int
    size: int
    sent: int
    seconds: float

    def __str__(self) -> str:
        if not self.objects:
            return "nothing new"
        return (
            f"{self.objects:,} object{'s' * (self.objects != 1)} of {size_in_words(self.size)}, "
            f"{size_in_words(self.sent)} over the wire in {self.seconds:.1f} s"
        )


class Meter:
    """Counts a transfer and tells of it, at most five times a second and at the end. ``total`` is for whoever plans to set."""

    EVERY_S = 0.2

    def __init__(self, tell: Tell = silent) -> None:
        self.total, self.done, self.sent = 0, 0, 0
        self._tell, self._lock = tell, Lock()
        self._start, self._told = time.monotonic(), float("-inf")

    def add(self, *, done: int = 0, sent: int = 0) -> None:
        """Bytes that are there now, and bytes that went over the wire for it."""
        with self._lock:
            self.done += done
            self.sent += sent
            if (now := time.monotonic()) - self._told >= self.EVERY_S or self.done >= self.total:
                self._told = now
                self._tell(Progress(self.done, self.total, self.sent, self.seconds))

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._start
