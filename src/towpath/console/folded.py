"""From the folded state and the ledger's tail to the page's view. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from towpath.console.view import Found, Ran, Releasing, Serving, Step, Told, View, guarded
from towpath.ledger import Record
from towpath.pipeline.runs import Run
from towpath.release.live import Release
from towpath.state import State
from towpath.words import in_words

ENVIRONMENTS = ("staging", "production")
RUNS, FINDINGS, FACTS = 10, 8, 30


def view_of(project: str, state: State, tail: Sequence[Record], now: datetime, evidence: Mapping[str, float] | None = None) -> View:
    """The page's view.

    Args:
        tail: the last records of the ledger, oldest first.
        now: the project's time.
        evidence: of the release that is going on, as a decision quotes it; without it, what its last event quoted is shown.
    """
    releases = list(state.live.releases.values())
    release = next((r for r in reversed(releases) if r.ended is None), releases[-1] if releases else None)
    champion = state.live.champion("production")
    findings = zip(state.findings.made, state.findings.times, strict=True)
    return View(
        project=project,
        now=now,
        position=state.head.position,
        hash=state.head.hash,
        serving=tuple(_serving(environment, state) for environment in ENVIRONMENTS),
        release=_releasing(release, evidence or {}) if release else None,
        runs=tuple(_ran(run) for run in reversed(list(state.runs.all.values())[-RUNS:])),
        findings=tuple(
            Found(number=f.finding, at=at, subject=f.subject, what=f.what, because=f.because, open=f.version == champion)
            for f, at in reversed(list(findings)[-FINDINGS:])
        ),
        facts=tuple(_told(record) for record in reversed(tail[-FACTS:])),
    )


def _serving(environment: str, state: State) -> Serving:
    version = state.live.champion(environment)
    tenure = next((t for t in reversed(state.live.tenures) if t.environment == environment), None)
    known = state.registry.versions.get(version) if version else None
    return Serving(
        environment=environment,
        version=version,
        since=tenure.at if tenure else None,
        because=tenure.because if tenure else "",
        metrics=known.candidate.metrics.get("candidate", {}) if known else {},
    )


def _releasing(release: Release, evidence: Mapping[str, float]) -> Releasing:
    stage = release.stage
    going_on = release.ended is None
    return Releasing(
        number=release.number,
        environment=release.environment,
        version=release.version,
        champion=release.champion,
        share=stage.share if stage and going_on else 0.0,
        steps=_steps(release),
        guards=guarded(dict(evidence) if evidence and going_on else release.evidence),
        because=_because(release),
        started=release.started,
        paused=release.paused,
        outcome=release.outcome,
        ended=release.ended,
    )


def _because(release: Release) -> str:
    """Why it is in the stage where it is; of one that ended, why it ended so."""
    return release.stages[-1].because if release.stages and release.ended is None else release.because


def _steps(release: Release) -> tuple[Step, ...]:
    at = release.stage.index if release.stage else -1
    reasons = {stage.index: stage.because for stage in release.stages}
    planned = [
        Step(label=_label(stage), where=_where(index, at, release.ended is not None), because=reasons.get(index, ""))
        for index, stage in enumerate(release.plan.get("stages", ()))
    ]
    return (*planned, Step(label=release.outcome or "promoted", where="done" if release.ended else "next"))


def _where(index: int, at: int, ended: bool) -> str:
    if index == at and not ended:
        return "now"
    return "done" if index <= at else "next"


def _label(stage: Mapping[str, Any]) -> str:
    return f"{stage['share']:.0%}" if "share" in stage else "shadow"


def _ran(run: Run) -> Ran:
    outcome = "lost" if run.lost else str(run.outcome) if run.outcome else "going on"
    return Ran(
        number=run.number,
        trigger=run.trigger,
        cause=run.cause,
        started=run.started,
        took=run.ended - run.started if run.ended else None,
        outcome=outcome,
        because=run.because,
        version=run.version,
    )


def _told(record: Record) -> Told:
    entry = record.entry
    return Told(position=record.position, at=entry.at, kind=type(entry.event).__name__, words=in_words(entry.event))
