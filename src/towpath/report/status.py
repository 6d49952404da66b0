"""The project at a glance: what serves, what goes on, what waits, and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from towpath.pipeline.runs import Runs
from towpath.quantities import size_in_words
from towpath.registry import Registry
from towpath.release import controller
from towpath.release.live import Live
from towpath.report.columns import aligned
from towpath.report.runs import RunRow, minute, row
from towpath.report.versions import stage_in_words
from towpath.words import clipped

ENVIRONMENTS = (controller.STAGING, controller.PRODUCTION)
LAST_RUNS = 3
REASON = 100  # characters of one that fit into a line; `why` tells the whole


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What serves an environment; ``version`` is None where nothing does."""

    environment: str
    version: int | None
    since: datetime | None = None
    because: str = ""


class Grown(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset beside the snapshot of the last training. ``asks_at`` is the share at which a run is asked for, if one ever is."""

    dataset: str
    rows_new: int  # of the unit: a dataset that is no table has files for rows
    share: float
    asks_at: float | None
    unit: Literal["rows", "files"] = "rows"
    size_new: int = 0
    trouble: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The view of `towpath status`. ``up`` says which process keeps the loop going; ``next`` is the command that would help most.

    ``serving`` has nothing where the project trains no model.
    """

    project: str
    up: str
    serving: tuple[Serving, ...]
    release: str
    run: str
    last_runs: tuple[RunRow, ...]
    growth: tuple[Grown, ...]
    waits: tuple[str, ...]
    next: str


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger cannot say: which process is up, how the data has grown, and what the evidence says of the release now.

    ``trains``: whether versions come of the project at all.
    """

    trains: bool = True
    up: str = ""
    growth: tuple[Grown, ...] = ()
    evidence: str = ""


def status(project: str, metric: str, runs: Runs, registry: Registry, live: Live, findings: Sequence[str], around: Around) -> Status:
    """The view. ``findings`` are about the champion and no run has answered them, one sentence each."""
    release, going_on = live.going_on(controller.PRODUCTION), runs.going_on
    rows = [row(run, metric) for run in runs.all.values() if not run.is_going_on]
    said = f"{stage_in_words(release)}, version {release.version}" if release else ""
    return Status(
        project=project,
        up=around.up,
        serving=tuple(_serving(environment, live) for environment in ENVIRONMENTS if around.trains),
        release=f"{said}: {around.evidence}" if said and around.evidence else said,
        run=f"run {going_on.number} ({going_on.cause}), since {minute(going_on.started)}" if going_on else "",
        last_runs=tuple(reversed(rows[-LAST_RUNS:])),
        growth=around.growth,
        waits=(*_waits(registry, live), *(f"finding: {finding}" for finding in findings)),
        next=_next(runs, registry, live, around.up) if around.trains else _next_of_steps(runs),
    )


def _serving(environment: str, live: Live) -> Serving:
    tenure = next((t for t in reversed(live.tenures) if t.environment == environment), None)
    if tenure is None or tenure.version is None:
        return Serving(environment=environment, version=None)
    return Serving(environment=environment, version=tenure.version, since=tenure.at, because=tenure.because)


def _waits(registry: Registry, live: Live) -> list[str]:
    waits = []
    newest = max(registry.versions.values(), key=lambda version: version.number, default=None)
    untried, asks = controller.untried(registry, live), controller.challenger(registry, live)
    if untried:
        waits.append(f"version {untried.number} waits for the checks of staging")
    elif asks:
        waits.append(f"version {asks.number} waits for its release into production")
    elif newest and newest.number > (live.champion(controller.PRODUCTION) or 0) and not live.going_on(controller.PRODUCTION):
        why = controller.why_not(newest, live) or "its release has ended without a promotion"
        waits.append(f"version {newest.number} stays where it is: {why}")
    return waits


def _next(runs: Runs, registry: Registry, live: Live, up: str) -> str:
    if not registry.versions:
        ended = any(run.outcome for run in runs.all.values())
        return "`towpath runs` tells why there is no version yet" if ended else "`towpath run` makes the first version"
    newest = max(registry.versions.values(), key=lambda version: version.number)
    if newest.candidate.dirty and newest.number > (live.champion(controller.PRODUCTION) or 0):
        return f"commit your changes and `towpath run`: version {newest.number} holds what is not committed and stays in staging"
    if not up:
        return "`towpath up` serves, watches, retrains and releases"
    return (
        "`towpath request` prints a request to try"
        if live.champion(controller.PRODUCTION)
        else "`towpath up` is bringing a version to production"
    )


def _next_of_steps(runs: Runs) -> str:
    made = max((run.number for run in runs.all.values() if run.outcome), default=None)
    return f"`towpath show run {made} --graph` shows its steps" if made else "`towpath run` makes the steps"


def in_words(one: Status) -> str:
    """The view as text."""
    lines = [(serving.environment, _served(serving)) for serving in one.serving]
    lines += [("release", one.release or "none is going on")] if one.serving else []
    lines += [("run", one.run or "none is going on")]
    lines += [(f"data {grown.dataset}", growth_in_words(grown)) for grown in one.growth]
    lines += [("waits", wait) for wait in one.waits]
    lines += [("loop", one.up or "not up")]
    runs = [(f"run {r.run}", minute(r.started), r.outcome, _short(r)) for r in one.last_runs]
    head = f"{one.project}\n{aligned(lines, indent='  ')}"
    return "\n".join([head, *([f"last runs\n{aligned(runs, indent='  ')}"] if runs else []), f"next: {one.next}"])


def _served(serving: Serving) -> str:
    if serving.version is None or serving.since is None:
        return "nothing serves yet"
    return f"version {serving.version} since {minute(serving.since)} ({clipped(serving.because, REASON)})"


def growth_in_words(grown: Grown) -> str:
    """How a dataset has grown, and when that would start a run."""
    if grown.trouble:
        return grown.trouble
    asks = f"; a run is asked for at +{grown.asks_at:.0%}" if grown.asks_at is not None else ""
    new = f"new files ({size_in_words(grown.size_new)})" if grown.unit == "files" else "new rows"
    return f"{grown.rows_new:,} {new} since the last training (+{grown.share:.0%}){asks}"


def _short(one: RunRow) -> str:
    version = f"version {one.version}, {one.metric} {one.value:.4g}" if one.version and one.value is not None else one.because
    return f"{version} ({one.cause})"
