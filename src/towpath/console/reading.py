"""Reading the ledger for the console, again and again: each time only what is new."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime

from towpath.console.folded import FACTS, view_of
from towpath.console.view import View
from towpath.ledger import Ledger, Record
from towpath.state import State, apply


class Reading:
    """A callable that gives the view of this moment. Not to be called by two threads at once; ``Console`` sees to that.

    Args:
        now: the project's clock.
        evidence: of the release that is going on, as a decision quotes it; without it, what its last event quoted is shown.
    """

    def __init__(
        self, project: str, ledger: Ledger, now: Callable[[], datetime], evidence: Callable[[], Mapping[str, float]] | None = None
    ) -> None:
        self._project, self._ledger, self._now, self._evidence = project, ledger, now, evidence
        self._state = State()
        self._tail: deque[Record] = deque(maxlen=FACTS)

    def __call__(self) -> View:
        for record in self._ledger.read(self._state.head.position):
            self._state = apply(self._state, record)
            self._tail.append(record)
        evidence = self._evidence() if self._evidence else None
        return view_of(self._project, self._state, list(self._tail), self._now(), evidence)
