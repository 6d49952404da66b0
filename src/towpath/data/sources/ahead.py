"""Fetching small files before they are asked for, several at once: one after another, a bucket's files take a round trip each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

AT_ONCE = 8


class Ahead:
    """``names`` in the order in which they are likely to be asked for; those that one call to ``get`` may as well bring early.

    Only when two neighbours were asked for one after the other, the next ones are fetched: whoever asks for few gets no more.
    """

    def __init__(self, names: Sequence[str], get: Callable[[str], bytes]) -> None:
        self._names, self._get = names, get
        self._place = {name: place for place, name in enumerate(names)}
        self._pool: ThreadPoolExecutor | None = None
        self._coming: dict[str, Future[bytes]] = {}
        self._last = -2

    def take(self, name: str) -> bytes | None:
        """The bytes of a file that was fetched early, or None. Raises what ``get`` raised."""
        if name not in self._place:
            return None
        place = self._place[name]
        if place == self._last + 1:
            self._fetch(place + 1)
        self._last = place
        coming = self._coming.pop(name, None)
        return coming.result() if coming else None

    def _fetch(self, start: int) -> None:
        self._pool = self._pool or ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ahead")
        for name in self._names[start : start + AT_ONCE]:
            if name not in self._coming:
                self._coming[name] = self._pool.submit(self._get, name)
