"""The runs, folded from the ledger: what each was made from, how far it came, and how it ended."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from towpath import events as ev
from towpath.digest import Digest
from towpath.verdict import Verdict


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One pass through the pipeline for one cause. ``outcome`` is None while it is going on."""

    number: int
    trigger: str
    cause: str
    commit: str
    patch: Digest | None
    started: datetime
    host: str
    boot: str
    pid: int
    lease_until: float
    snapshots: dict[str, ev.SnapshotTaken] = {}
    checks: tuple[Verdict, ...] = ()
    steps: tuple[ev.StepExecuted, ...] = ()
    candidate: Digest | None = None
    champion: int | None = None  # that the gates compared with
    recipe: Digest | None = None
    parameters: dict[str, object] = {}
    gates: tuple[Verdict, ...] = ()
    metrics: dict[str, dict[str, float]] = {}
    ended: datetime | None = None
    outcome: ev.Outcome | None = None
    lost: bool = False
    because: str = ""
    version: int | None = None

    @property
    def is_going_on(self) -> bool:
        """Whether it has neither ended nor been given up as lost."""
        return self.outcome is None and not self.lost


class Runs(msgspec.Struct, frozen=True):
    """All runs by number."""

    all: dict[int, Run] = {}

    @property
    def going_on(self) -> Run | None:
        """The run that has not ended, if there is one."""
        return next((run for run in reversed(self.all.values()) if run.is_going_on), None)

    @property
    def next_number(self) -> int:
        """The number that the next run will have."""
        return max(self.all, default=0) + 1

    def last(self, *outcomes: ev.Outcome) -> Run | None:
        """The latest run that ended so."""
        return next((run for run in reversed(self.all.values()) if run.outcome in outcomes), None)


def apply(runs: Runs, entry: ev.Entry) -> Runs:
    """The runs after one more event."""
    match entry.event:
        case ev.RunStarted() as event:
            fields = {name: getattr(event, name) for name in ("trigger", "cause", "commit", "patch", "host", "boot", "pid", "lease_until")}
            run = Run(number=event.run, started=entry.at, **fields)
        case ev.SnapshotTaken() as event:
            was = runs.all[event.run]
            run = replace(was, snapshots={**was.snapshots, event.dataset: event})
        case ev.ChecksJudged() as event:
            was = runs.all[event.run]
            run = replace(was, checks=was.checks + event.verdicts)
        case ev.StepExecuted() as event:
            was = runs.all[event.run]
            run = replace(was, steps=(*was.steps, event))
        case ev.CandidatePackaged() as event:
            run = replace(runs.all[event.run], candidate=event.digest, recipe=event.recipe, parameters=event.parameters)
        case ev.GatesJudged() as event:
            run = replace(runs.all[event.run], gates=event.verdicts, metrics=event.metrics, champion=event.champion)
        case ev.RunEnded() as event:
            run = replace(runs.all[event.run], ended=entry.at, outcome=event.outcome, because=event.because, version=event.version)
        case ev.RunLost() as event:
            run = replace(runs.all[event.run], ended=entry.at, lost=True, because=event.because)
        case _:
            return runs
    return Runs({**runs.all, run.number: run})
