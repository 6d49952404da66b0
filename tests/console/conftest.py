"""A project's state by way of a real ledger, and the console over real HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from towpath import events as ev
from towpath.console import view_of
from towpath.ledger import Entry
from towpath.ledger.memory import MemoryLedger
from towpath.state import fold
from towpath.verdict import Answer, Verdict

A, B = "a" * 64, "b" * 64
START = datetime(2013, 4, 1, 5, tzinfo=UTC)
PASSED = (Verdict(gate="auc >= baseline + 0.05", answer=Answer.PASS, because="0.71 >= 0.55"),)
PLAN = {"stages": [{"type": "shadow", "requests": 500}, {"type": "canary", "share": 0.1}, {"type": "canary", "share": 0.5}]}
EVIDENCE = {
    "harm_at": 800.0,
    "safe_at": 5.0,
    "errors.log10_harm": -0.3,
    "errors.log10_safe": 0.45,
    "errors.challenger": 412.0,
    "errors.challenger_events": 1.0,
    "errors.champion": 3710.0,
    "errors.champion_events": 8.0,
    "loss.log10_harm": 0.9,
    "loss.log10_safe": 0.1,
    "loss.challenger": 300.0,
    "loss.challenger_events": 66.0,
    "loss.champion": 2905.0,
    "loss.champion_events": 581.0,
}


def ran(run, digest, version, outcome="registered", because="all 6 gates passed", cause="12,120 new rows in flights (+14%)"):
    yield ev.RunStarted(run=run, trigger="new_rows", cause=cause, commit="c" * 40, host="h", boot="b", pid=1)
    if version:
        yield ev.CandidatePackaged(run=run, digest=digest, recipe=digest, parameters={})
        metrics = {"candidate": {"auc": 0.7123 + run / 1000, "log_loss": 0.4012, "rows": 27000.0}}
        yield ev.GatesJudged(run=run, digest=digest, champion=None, verdicts=PASSED, metrics=metrics)
        yield ev.VersionRegistered(version=version, digest=digest, run=run)
    yield ev.RunEnded(run=run, outcome=ev.Outcome(outcome), because=because, version=version)


def happened():
    yield from ran(1, A, 1, cause="commit 3f2a91bc")
    yield ev.EnvironmentJudged(environment="staging", version=1, digest=A, verdicts=PASSED)
    yield ev.VersionPromoted(
        environment="production", version=1, digest=A, previous=None, release=None, by="loop", because="nothing served before"
    )
    yield from ran(2, B, None, "stopped", "flights, 2013-05.parquet: column distance has 812 values above 5,000")
    yield ev.FindingMade(
        finding=1,
        subject="drift",
        what="temp",
        version=1,
        because="warmer than in training: median 61 instead of 38",
        effect=0.4,
        start=START,
        end=START,
    )
    yield from ran(3, B, 2)
    yield ev.EnvironmentJudged(environment="staging", version=2, digest=B, verdicts=PASSED)
    yield ev.ReleaseStarted(
        release=1, environment="production", version=2, digest=B, champion=1, plan=PLAN, salt="s", because="version 2 passed its gates"
    )
    yield ev.StageEntered(release=1, stage=0, share=0, because="the release begins")
    yield ev.StageEntered(release=1, stage=1, share=0.1, because="loss: shown to be safe on 500 shadowed requests", evidence=EVIDENCE)
    yield ev.TriggerRefused(trigger="commit", cause="commit <b>&</b>", key="k", because="run 3 is going on; one run at a time")


def told(*events):
    ledger = MemoryLedger()
    ledger.append(
        [Entry(id=str(n), at=START + timedelta(hours=7 * n, minutes=13 * n), machine=0.0, event=event) for n, event in enumerate(events)]
    )
    return ledger


@pytest.fixture
def view():
    """Builds the view after these events, at the time of the last one and an hour."""

    def build(*events, evidence=None):
        ledger = told(*events)
        state = fold(ledger.read())
        return view_of("flights", state, list(ledger.read()), (state.at or START) + timedelta(hours=1), evidence)

    return build


@pytest.fixture
def story():
    return list(happened())


@pytest.fixture
def whole(view, story):
    return view(*story)


@pytest.fixture
def ledger_of():
    """A ledger to which these events were told."""
    return told
