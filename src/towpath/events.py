"""Every event: one fact each, past tense, frozen. State is only ever folded from them.

Numbers name things for people: run 3, version 7, release 2. Times are the project's clock in UTC. A decision's event
quotes the counts it was made from. To add a form to an event, give the new field a default: old records still read.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from towpath.digest import Digest
from towpath.origin import Origin
from towpath.verdict import Verdict

# longer than a run is ever silent, which is in its training; a machine that died holds retraining up for as long
LEASE_S = 6 * 3600.0


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=True):
    """What all events share: nothing but their kind."""


# triggers


class TriggerFired(Event, frozen=True, kw_only=True):
    """A rule turned something into a run. ``key`` names the cause, so that one cause fires once."""

    trigger: str
    cause: str
    key: str
    run: int


class TriggerRefused(Event, frozen=True, kw_only=True):
    """A rule saw its cause and did not start a run, for this reason. ``seen_by`` is a run that answers the cause all the same."""

    trigger: str
    cause: str
    key: str
    because: str
    seen_by: int | None = None


# runs


class RunStarted(Event, frozen=True, kw_only=True):
    """``pid`` on ``host`` in ``boot`` works on it; another machine may call it lost when it has told nothing for ``lease_s``."""

    run: int
    trigger: str
    cause: str
    commit: str
    patch: Digest | None = None  # of the uncommitted changes, when the tree was dirty
    host: str
    boot: str
    pid: int
    lease_s: float = LEASE_S
    installed: Digest | None = None  # what stands for all distributions; None: of a time that did not record it
    distributions: Digest | None = None  # of a stored JSON with the version of each


class SnapshotTaken(Event, frozen=True, kw_only=True):
    """``digest`` names the stored manifest, ``content`` the canonical content of the table."""

    run: int
    dataset: str
    digest: Digest
    content: Digest
    rows: int
    files: int
    excluded: int = 0  # of the rows; ``content`` is that of the others


class ChecksJudged(Event, frozen=True, kw_only=True):
    run: int
    dataset: str
    verdicts: tuple[Verdict, ...]


class StepsPlanned(Event, frozen=True, kw_only=True):
    """Steps that a run was to make, each behind those that it needs; told when the first of them lasts, or when all have ended."""

    run: int
    takes: dict[str, tuple[str, ...]]  # by step: the datasets and steps whose values it takes


class StepExecuted(Event, frozen=True, kw_only=True):
    """``origin``: whose execution was reused, or checked by executing it here; ``refused``: what content it claimed, if a wrong one."""

    run: int
    step: str
    fingerprint: Digest
    reused: bool
    seconds: float
    content: Digest
    origin: Origin | None = None
    refused: Digest | None = None


class StepRetried(Event, frozen=True, kw_only=True):
    run: int
    step: str  # it failed, and was begun again
    because: str


class StepFailed(Event, frozen=True, kw_only=True):
    run: int
    step: str
    because: str


class ParametersChosen(Event, frozen=True, kw_only=True):
    """What a run trains with: found by ``trials`` trials, or the champion's. ``trials_in`` names the stored list of them."""

    run: int
    way: str  # reuse, resume or fresh
    because: str
    parameters: dict[str, Any]
    metric: str = ""
    value: float | None = None
    trials: int = 0
    seconds: float = 0.0
    trials_in: Digest | None = None


class CandidatePackaged(Event, frozen=True, kw_only=True):
    """``digest`` names the package manifest; ``recipe`` names code, data and parameters that it was made from."""

    run: int
    digest: Digest
    recipe: Digest
    parameters: dict[str, Any]
    profile: Digest | None = None  # of the training rows, for the monitors
    all_labels_due: bool = False  # so that time alone brings no more rows
    labels_by: datetime | None = None  # the moment that decided which labels were due


class GatesJudged(Event, frozen=True, kw_only=True):
    """``metrics`` has a row of numbers each for candidate, baseline, champion and best, where there was one.

    ``standard_errors`` are of the candidate's figures; one that the holdout did not determine is left out.
    """

    run: int
    digest: Digest
    champion: int | None
    verdicts: tuple[Verdict, ...]
    metrics: dict[str, dict[str, float]]
    standard_errors: dict[str, float] | None = None  # None: of a time that did not record them


class VersionRegistered(Event, frozen=True, kw_only=True):
    version: int
    digest: Digest
    run: int


class Outcome(StrEnum):
    """How a run ended."""

    REGISTERED = "registered"  # in a version
    REJECTED = "rejected"  # a gate failed
    HELD = "held"  # no gate failed, but one could not decide or could not measure
    STOPPED = "stopped"  # a data check failed
    EXECUTED = "executed"  # its steps; the project trains no model
    UNCHANGED = "unchanged"  # nothing it depends on had changed
    FAILED = "failed"  # a step or the system around it broke


class RunContinued(Event, frozen=True, kw_only=True):
    run: int  # it had nothing else to tell for long, and is at work: so its lease is renewed


class RunEnded(Event, frozen=True, kw_only=True):
    run: int
    outcome: Outcome
    because: str
    version: int | None = None


class RunLost(Event, frozen=True, kw_only=True):
    run: int
    because: str


# environments and releases


class EnvironmentJudged(Event, frozen=True, kw_only=True):
    """A version was started in an environment and checked there."""

    environment: str
    version: int
    digest: Digest
    verdicts: tuple[Verdict, ...]


class DeploymentAsked(Event, frozen=True, kw_only=True):
    environment: str
    version: int
    by: str


class ReleaseStarted(Event, frozen=True, kw_only=True):
    """``plan`` is frozen here: its stages, guards, error level and thresholds; ``cuts`` turn measurements into events."""

    release: int
    environment: str
    version: int
    digest: Digest
    champion: int | None
    plan: dict[str, Any]
    cuts: dict[str, float] = {}  # latency_p99: seconds over which a request is slow; wrong: absolute error over which a value is wrong
    salt: str
    because: str


class StageEntered(Event, frozen=True, kw_only=True):
    """``stage`` counts from 0 in the plan; ``share`` is the challenger's part of the requests from now on (0 in shadow).

    ``means`` are the champion's event rates by guard, frozen for the evidence of this stage.
    """

    release: int
    stage: int
    share: float
    because: str
    means: dict[str, float] = {}
    evidence: dict[str, float] = {}


class ReleasePaused(Event, frozen=True, kw_only=True):
    release: int
    by: str
    because: str


class ReleaseResumed(Event, frozen=True, kw_only=True):
    release: int
    by: str


class VersionPromoted(Event, frozen=True, kw_only=True):
    """``version`` serves ``environment`` from now on; ends the release."""

    environment: str
    version: int
    digest: Digest
    previous: int | None
    release: int | None
    by: str
    because: str
    evidence: dict[str, float] = {}


class VersionRolledBack(Event, frozen=True, kw_only=True):
    """``version`` was taken back and ``to`` serves; ends the release, if one was going on.

    A quarantined digest is not released again until the quarantine is lifted.
    """

    environment: str
    version: int
    digest: Digest
    to: int | None
    release: int | None
    by: str
    because: str
    quarantine: bool = True
    evidence: dict[str, float] = {}


class ReleaseAbandoned(Event, frozen=True, kw_only=True):
    """Neither safe nor harmful within its time: the challenger left, the champion stayed."""

    release: int
    because: str
    evidence: dict[str, float] = {}


class QuarantineLifted(Event, frozen=True, kw_only=True):
    digest: Digest
    by: str
    because: str


# rows of data


class RowsExcluded(Event, frozen=True, kw_only=True):
    """Rows for which ``where``, an expression in SQL, is true are left out of every later run."""

    exclusion: int
    dataset: str
    where: str
    by: str
    because: str


class ExclusionLifted(Event, frozen=True, kw_only=True):
    exclusion: int
    by: str
    because: str


class RowsErased(Event, frozen=True, kw_only=True):
    """Rows were taken out of everything that is kept; nothing here tells whose they were.

    ``key`` is a digest of the values that named them and of a salt that lies in the project's home alone. ``objects``: what stands in
    for each erased object, empty where nothing does. ``rows`` were in the files as they were; ``versions`` were trained on some of them.
    """

    dataset: str
    key: Digest
    rows: int
    objects: dict[str, str]
    snapshots: tuple[Digest, ...]
    versions: tuple[int, ...]
    journal: int  # predictions that were taken out of the journal
    by: str
    because: str


# monitoring and the world outside


class FindingMade(Event, frozen=True, kw_only=True):
    """``subject`` is ``drift``, ``performance`` or another monitor's word; ``effect`` ranks findings of one subject."""

    finding: int
    subject: str
    what: str  # the column or the metric
    version: int | None
    because: str
    effect: float
    start: datetime
    end: datetime
    numbers: dict[str, float] = {}


class Delivered(Event, frozen=True, kw_only=True):
    """``target`` outside was told everything up to ``position``."""

    target: str
    position: int


class LedgerImported(Event, frozen=True, kw_only=True):
    """A ledger that was kept alone became readable under ``name``: ``digest`` names its records, ``head`` is the hash of the last.

    No fold reads what is in it, so that none of its verdicts promotes anything.
    """

    name: str
    digest: Digest
    records: int
    head: Digest


AnyEvent = (
    TriggerFired
    | TriggerRefused
    | RunStarted
    | SnapshotTaken
    | ChecksJudged
    | StepsPlanned
    | StepExecuted
    | StepRetried
    | StepFailed
    | ParametersChosen
    | CandidatePackaged
    | GatesJudged
    | VersionRegistered
    | RunContinued
    | RunEnded
    | RunLost
    | EnvironmentJudged
    | DeploymentAsked
    | ReleaseStarted
    | StageEntered
    | ReleasePaused
    | ReleaseResumed
    | VersionPromoted
    | VersionRolledBack
    | ReleaseAbandoned
    | QuarantineLifted
    | RowsExcluded
    | ExclusionLifted
    | RowsErased
    | FindingMade
    | Delivered
    | LedgerImported
)
