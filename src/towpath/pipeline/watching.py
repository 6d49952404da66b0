"""What steps made, and whoever looks on while they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from towpath.digest import Digest
from towpath.origin import Origin
from towpath.pipeline.graph import Step
from towpath.pipeline.values import Value


class Executed(msgspec.Struct, frozen=True):
    """What a step made; ``reused`` when it had made it before. ``fingerprint`` is also the digest of a stored JSON that spells it out.

    ``origin``: whose execution was taken or, where it was executed here all the same, checked; ``refused`` is the content that this one
    claimed, where it was another.
    """

    step: str
    fingerprint: Digest
    reused: bool
    seconds: float
    value: Value
    origin: Origin | None = None
    refused: Digest | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How many of ``steps`` are ``done``, and since how many seconds others are ``busy``."""

    done: int
    steps: int
    busy: Mapping[str, float]


class Watch:
    """Is told how steps go on, and does nothing with it. ``done``: what was made since ``began``, also where a step failed."""

    def __init__(self) -> None:
        self.done: list[Executed] = []

    def began(self, steps: Sequence[Step]) -> None:
        """These will be made."""
        self.done = []

    def ended(self, one: Executed) -> None:
        """A step made something; it need not be durable yet."""
        self.done.append(one)

    def retried(self, step: str, because: str, wait_s: float) -> None:
        """A step failed, and begins again in ``wait_s``."""

    def passed(self, progress: Progress, keep: Callable[[], None]) -> None:
        """Some time went by, about a second. ``keep`` makes what has ended durable."""

    def stopped(self, fault: BaseException | None) -> None:
        """Nothing is under way any more. What was made is durable, unless there was a fault."""
