"""A bucket in this process's memory: for tests and notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Lock

from towpath.clock import Clock, WallClock
from towpath.store.remote.bucket import Stored


class MemoryBucket:
    """Keeps what is put in a dict, with the time of ``clock``."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.place, self.files = "memory", dict[str, tuple[bytes, Stored]]()
        self._clock, self._lock = clock or WallClock(), Lock()

    def put(self, key: str, data: bytes | bytearray, *, new: bool = False) -> bool:
        with self._lock:
            if new and key in self.files:
                return False
            self.files[key] = bytes(data), Stored(key, len(data), self._clock.now())
        return True

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes | None:
        return self.files[key][0][start:end] if key in self.files else None

    def size(self, key: str) -> int | None:
        return len(self.files[key][0]) if key in self.files else None

    def list(self, folder: str) -> Iterator[Stored]:
        with self._lock:
            found = [stored for key, (_, stored) in self.files.items() if key.startswith(f"{folder}/")]
        return iter(found)

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.files.pop(key, None)
