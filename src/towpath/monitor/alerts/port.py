"""What a target is: a system outside that is told what happened."""

from __future__ import annotations

from typing import Protocol

from towpath.events import AnyEvent
from towpath.ledger import Record


class Target(Protocol):
    """A system outside, such as a webhook or a tracking server.

    It is told in the order of the ledger, each record at least once: after a crash the last one may come again, so a
    target makes the second telling harmless (by the entry's id, or by looking before it writes). It does not retry:
    that is the outbox's.
    """

    @property
    def name(self) -> str:
        """Names its place in the ledger; the same from start to start, and without secrets."""
        ...

    def wants(self, event: AnyEvent) -> bool:
        """Whether it is told of such an event. Pure."""
        ...

    def tell(self, record: Record) -> None:
        """Tell it, and return when it has accepted.

        Raises:
            Unavailable: it did not accept within its time.
        """
        ...
