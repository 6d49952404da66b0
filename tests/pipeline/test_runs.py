"""What the runs of a ledger were trained on, and whether the gates took it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from towpath import events as ev
from towpath.ledger import Entry
from towpath.ledger.memory import MemoryLedger
from towpath.pipeline.runs import Trained
from towpath.state import fold

AT = datetime(2024, 4, 1, 9, tzinfo=UTC)


def trained_on(*events: ev.AnyEvent) -> Trained:
    ledger = MemoryLedger()
    ledger.append([Entry(id=str(n), at=AT, machine=0.0, event=event) for n, event in enumerate(events)])
    return fold(ledger.read()).runs.trained_on


def run(number: int, digest: str, outcome: ev.Outcome | None = None, *, candidate: bool = True) -> list[ev.AnyEvent]:
    told: list[ev.AnyEvent] = [
        ev.RunStarted(run=number, trigger="command", cause="", commit="c", host="barge", boot="b1", pid=812),
        ev.SnapshotTaken(run=number, dataset="loads", digest=digest, content=digest, rows=9, files=1),
    ]
    if candidate:
        told.append(ev.CandidatePackaged(run=number, digest="m", recipe="r", parameters={}))
    if outcome:
        told.append(ev.RunEnded(run=number, outcome=outcome, because=""))
    return told


def test_nothing_was_trained_on_before_the_first_candidate() -> None:
    assert trained_on() == trained_on(*run(1, "a", ev.Outcome.STOPPED, candidate=False)) == Trained({}, accepted=True)


@pytest.mark.parametrize("outcome", [None, *ev.Outcome])
def test_only_a_gate_refuses_what_was_trained_on(outcome: ev.Outcome | None) -> None:
    assert trained_on(*run(1, "a", outcome)) == Trained({"loads": "a"}, accepted=outcome is not ev.Outcome.REJECTED)


def test_the_latest_run_with_a_candidate_counts() -> None:
    rejected = run(1, "a", ev.Outcome.REJECTED)
    assert trained_on(*rejected, *run(2, "b", ev.Outcome.REGISTERED)) == Trained({"loads": "b"}, accepted=True)
    assert trained_on(*rejected, *run(2, "b", ev.Outcome.STOPPED, candidate=False)) == Trained({"loads": "a"}, accepted=False)
