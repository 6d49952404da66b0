"""One project and where its facts and its bytes are: opened once and passed on. Nothing here is slow to import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from towpath.clock import Clock
from towpath.errors import Conflict
from towpath.events import AnyEvent
from towpath.ledger import Head, Ledger, entry
from towpath.ledger.anchors import Anchors
from towpath.project import Project
from towpath.state import State, fold
from towpath.store import Store


@dataclass(frozen=True)
class Records:
    """A project's ledger and store, and the clock by which its facts are told."""

    project: Project
    clock: Clock
    ledger: Ledger
    store: Store
    anchors: Anchors

    def state(self, since: State | None = None) -> State:
        """The state now; ``since`` spares reading what is folded already."""
        return fold(self.ledger.read(since.head.position if since else 0), since)

    def tell(self, *events: AnyEvent, expected: int | None = None, ids: Sequence[str] = ()) -> Head:
        """Append events, stamped with the project's clock."""
        named: Sequence[str | None] = ids or [None] * len(events)
        stamped = [entry(event, self.clock, id=id) for event, id in zip(events, named, strict=True)]
        return self.ledger.append(stamped, expected=expected)

    def decide(self, choose: Callable[[State], Sequence[AnyEvent]], *, tries: int = 20) -> tuple[State, Sequence[AnyEvent]]:
        """Read, ``choose`` (pure), append on the condition that nothing came between; again when something did.

        Returns:
            The state after the events, and the events.
        """
        state = self.state()
        for _ in range(tries):
            events = choose(state)
            if not events:
                return state, events
            try:
                self.tell(*events, expected=state.head.position)
            except Conflict:
                state = self.state(state)
                continue
            return self.state(state), events
        raise Conflict(f"other processes were first {tries} times in a row", mend="try again when the ledger is quieter")
