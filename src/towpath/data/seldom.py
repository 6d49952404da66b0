"""Asking what is dear at most every so often."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from towpath.clock import machine_s

Answer = TypeVar("Answer")


class Seldom(Generic[Answer]):
    """Keeps an answer for ``every_s`` seconds, as long as the question is the same."""

    def __init__(self, every_s: float, now: Callable[[], float] = machine_s) -> None:
        self._every_s, self._now = every_s, now
        self._known: dict[str, tuple[float, Hashable, Answer]] = {}

    def ask(self, name: str, question: Hashable, answer: Callable[[], Answer]) -> Answer:
        """The answer to the question about ``name``. What ``answer`` raises is not kept: the next time asks again."""
        known = self._known.get(name)
        if known and known[1] == question and self._now() - known[0] < self._every_s:
            return known[2]
        found = answer()
        self._known[name] = (self._now(), question, found)
        return found
