"""What a run works with, and how it may end early."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from towpath import events as ev
from towpath.executors.local import LocalExecutor
from towpath.project import Project
from towpath.records import Records

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """The project's records, the run's number, and the project as the commit declares it, whose code lies in ``folder``.

    ``afresh``: everything is executed. ``verify``: the share of the executions of others that are executed here as well, and compared.
    ``show``: what stands on the terminal until there is something else; ``hands``: who may execute steps, begun before it was known which.
    """

    records: Records
    number: int
    project: Project
    folder: Path
    environ: Mapping[str, str]
    tell: Tell
    show: Tell = lambda text: None
    afresh: bool = False
    verify: float = 0.0
    hands: LocalExecutor | None = None

    def told(self, *events: ev.AnyEvent) -> None:
        """Append facts of this run."""
        self.records.tell(*events)


class Ended(Exception):
    """A run came to its end early."""

    def __init__(self, outcome: ev.Outcome, because: str) -> None:
        self.outcome, self.because = outcome, because
