"""The runs, folded from the ledger: what each was made from, how far it came, and how it ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from towpath import events as ev
from towpath.digest import Digest
from towpath.errors import Unavailable
from towpath.ledger import Entry
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
    lease_s: float
    heard: datetime  # when it told its latest event; each renews the lease
    snapshots: dict[str, ev.SnapshotTaken] = {}
    checks: tuple[Verdict, ...] = ()
    planned: dict[str, tuple[str, ...]] = {}  # by step: what it takes
    steps: tuple[ev.StepExecuted, ...] = ()
    failed: ev.StepFailed | None = None
    chosen: ev.ParametersChosen | None = None
    candidate: Digest | None = None
    champion: int | None = None  # that the gates compared with
    recipe: Digest | None = None
    parameters: dict[str, object] = {}
    installed: Digest | None = None
    distributions: Digest | None = None
    all_labels_due: bool = False
    labels_by: datetime | None = None
    gates: tuple[Verdict, ...] = ()
    metrics: dict[str, dict[str, float]] = {}
    standard_errors: dict[str, float] = {}  # of the candidate's metrics
    ended: datetime | None = None
    outcome: ev.Outcome | None = None
    lost: bool = False
    because: str = ""
    version: int | None = None

    @property
    def lease(self) -> datetime:
        """Until when other machines take it for alive, by the project's clock."""
        return self.heard + timedelta(seconds=self.lease_s)

    @property
    def is_going_on(self) -> bool:
        """Whether it has neither ended nor been given up as lost."""
        return self.outcome is None and not self.lost


class Trained(NamedTuple):
    """The snapshots of a training, by dataset, and whether no gate refused what came of it."""

    snapshots: dict[str, Digest]
    accepted: bool = True


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

    @property
    def trained_on(self) -> Trained:
        """What the latest run that made a candidate was trained on."""
        run = next((run for run in reversed(self.all.values()) if run.candidate), None)
        if run is None:
            return Trained({})
        return Trained({name: taken.digest for name, taken in run.snapshots.items()}, run.outcome is not ev.Outcome.REJECTED)

    @property
    def refused(self) -> frozenset[tuple[Digest, Digest]]:
        """Fingerprints with the contents that others claimed for them and that turned out to be wrong."""
        return frozenset((step.fingerprint, step.refused) for run in self.all.values() for step in run.steps if step.refused)

    def last(self, *outcomes: ev.Outcome) -> Run | None:
        """The latest run that ended so."""
        return next((run for run in reversed(self.all.values()) if run.outcome in outcomes), None)


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks whether a run is lost: a machine, its boot, and whether nobody holds the lock of runs there."""

    host: str
    boot: str
    lock_is_free: bool


def lost(run: Run, here: Here, now: datetime) -> str:
    """Why a run without an end is to be given up; empty while it may be at work.

    The kernel answers for this boot of this machine, whose lock it frees. A boot that is over took its processes with it.
    Of another machine nothing is known but what its run has told: it is lost when its lease is over.
    """
    if run.host != here.host:
        return f"nothing was heard from {run.host} since {run.heard:%Y-%m-%d %H:%M}, and its lease is over" if now > run.lease else ""
    if run.boot != here.boot:
        return f"{run.host} was started again since"
    return f"its process {run.pid} on {run.host} ended without a word" if here.lock_is_free else ""


def given_up(run: Run, here: Here, now: datetime) -> ev.RunLost:
    """The event that a run without an end is lost. Raises Unavailable where it may be at work."""
    because = lost(run, here, now)
    if not because:
        raise Unavailable(
            f"run {run.number} is at work on {run.host}; it was last heard of at {run.heard:%Y-%m-%d %H:%M} UTC",
            mend=f"wait for its end; should {run.host} have died, another run may begin after {run.lease:%Y-%m-%d %H:%M} UTC",
        )
    return ev.RunLost(run=run.number, because=because)


def apply(runs: Runs, entry: Entry) -> Runs:
    """The runs after one more event."""
    match entry.event:
        case ev.RunStarted() as event:
            fields = {
                name: getattr(event, name)
                for name in ("trigger", "cause", "commit", "patch", "host", "boot", "pid", "lease_s", "installed", "distributions")
            }
            run = Run(number=event.run, started=entry.at, heard=entry.at, **fields)
        case ev.SnapshotTaken() as event:
            was = runs.all[event.run]
            run = replace(was, snapshots={**was.snapshots, event.dataset: event})
        case ev.ChecksJudged() as event:
            was = runs.all[event.run]
            run = replace(was, checks=was.checks + event.verdicts)
        case ev.StepsPlanned() as event:
            was = runs.all[event.run]
            run = replace(was, planned={**was.planned, **event.takes})  # training is planned when its rows are there
        case ev.StepRetried() | ev.RunContinued() as event:
            run = runs.all[event.run]
        case ev.StepFailed() as event:
            run = replace(runs.all[event.run], failed=event)
        case ev.StepExecuted() as event:
            was = runs.all[event.run]
            run = replace(was, steps=(*was.steps, event))
        case ev.ParametersChosen() as event:
            run = replace(runs.all[event.run], chosen=event)
        case ev.CandidatePackaged() as event:
            was = runs.all[event.run]
            made = {"candidate": event.digest, "recipe": event.recipe, "parameters": event.parameters}
            run = replace(was, **made, all_labels_due=event.all_labels_due, labels_by=event.labels_by)
        case ev.GatesJudged() as event:
            judged = {"gates": event.verdicts, "metrics": event.metrics, "standard_errors": event.standard_errors or {}}
            run = replace(runs.all[event.run], **judged, champion=event.champion)
        case ev.RunEnded() as event:
            run = replace(
                runs.all[event.run], ended=entry.at, outcome=event.outcome, lost=False, because=event.because, version=event.version
            )
        case ev.RunLost() as event:
            run = replace(runs.all[event.run], ended=entry.at, lost=True, because=event.because)
        case _:
            return runs
    return Runs({**runs.all, run.number: replace(run, heard=entry.at)})
