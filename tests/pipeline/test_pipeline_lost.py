"""When a run without an end is given up: by its lock here, at once after another boot, by its lease elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from towpath import events as ev
from towpath.ledger import Entry
from towpath.ledger.memory import MemoryLedger
from towpath.pipeline.runs import Here, Run, lost
from towpath.state import State, fold

START = datetime(2024, 4, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
STARTED = ev.RunStarted(run=1, trigger="command", cause="", commit="c", host="barge", boot="b1", pid=812, lease_s=6 * 3600)
STEP = ev.StepExecuted(run=1, step="rows", fingerprint="f", reused=False, seconds=9.0, content="c")
SOON, LATER = START + HOUR, START + 7 * HOUR


def told(*events: tuple[ev.AnyEvent, datetime]) -> State:
    ledger = MemoryLedger()
    ledger.append([Entry(id=str(n), at=at, machine=0.0, event=event) for n, (event, at) in enumerate(events)])
    return fold(ledger.read())


def going_on(*events: tuple[ev.AnyEvent, datetime]) -> Run:
    run = told((STARTED, START), *events).runs.going_on
    assert run is not None
    return run


@pytest.mark.parametrize("now", [SOON, LATER])
def test_here_the_lock_decides_however_long_it_takes(now: datetime) -> None:
    run = going_on()
    assert lost(run, Here(host="barge", boot="b1", lock_is_free=False), now) == ""
    assert lost(run, Here(host="barge", boot="b1", lock_is_free=True), now) == "its process 812 on barge ended without a word"


@pytest.mark.parametrize("free", [True, False])
def test_of_an_earlier_boot_it_is_lost_at_once(free: bool) -> None:
    """Whoever holds the lock now is not that run."""
    assert lost(going_on(), Here(host="barge", boot="b2", lock_is_free=free), START) == "barge was started again since"


@pytest.mark.parametrize("free", [True, False])
def test_on_another_machine_it_is_lost_when_its_lease_is_over(free: bool) -> None:
    here, run = Here(host="lock-house", boot="b9", lock_is_free=free), going_on()
    assert lost(run, here, SOON) == lost(run, here, run.lease) == ""
    assert lost(run, here, run.lease + timedelta(seconds=1)) == "nothing was heard from barge since 2024-04-01 09:00, and its lease is over"


def test_what_a_run_tells_renews_its_lease() -> None:
    here, run = Here(host="lock-house", boot="b9", lock_is_free=True), going_on((STEP, START + 5 * HOUR))
    assert run.lease == START + 11 * HOUR
    assert lost(run, here, LATER) == ""
    assert lost(run, here, START + 12 * HOUR)


def test_a_run_that_ends_after_all_is_not_lost() -> None:
    ended = ev.RunEnded(run=1, outcome=ev.Outcome.REJECTED, because="auc 0.6")
    run = told((STARTED, START), (ev.RunLost(run=1, because="its lease is over"), LATER), (ended, LATER + HOUR)).runs.all[1]
    assert (run.lost, run.outcome, run.is_going_on) == (False, ev.Outcome.REJECTED, False)


def test_a_record_from_before_leases_had_a_length_is_read() -> None:
    old = {**msgspec.to_builtins(STARTED), "lease_until": 9.5}
    del old["lease_s"]
    assert msgspec.json.decode(msgspec.json.encode(old), type=ev.RunStarted).lease_s == ev.LEASE_S
