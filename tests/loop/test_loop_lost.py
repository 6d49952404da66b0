"""A run that another machine began, in a ledger that is shared: it is left alone while its lease lasts, then given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.loop import little

from towpath import wiring
from towpath.clock import ReplayClock
from towpath.errors import Unavailable
from towpath.events import Outcome, RunLost, RunStarted
from towpath.run import run

START = datetime(2024, 4, 1, 9, tzinfo=UTC)


def test_a_run_elsewhere_holds_back_runs_here_until_its_lease_is_over(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little")
    project = little.world(root).project
    clock = ReplayClock(project.home / "clock", start=START)
    world = wiring.world(project, project.home / "clock")
    loop = wiring.loop(world, little.Idle())
    world.tell(RunStarted(run=1, trigger="command", cause="by hand", commit="c" * 40, host="barge", boot="b1", pid=812))
    clock.set(START + timedelta(hours=5))
    assert not [event for event in loop.turn().events if isinstance(event, RunLost)]
    with pytest.raises(Unavailable, match=r"run 1 is at work on barge; it was last heard of at 2024-04-01 09:00") as told:
        run(world, little.ENVIRON)
    assert "after 2024-04-01 15:00" in told.value.mend
    assert [event.run for event in little.events(root, RunStarted) if isinstance(event, RunStarted)] == [1]
    clock.set(START + timedelta(hours=6, seconds=1))
    [lost] = [event for event in loop.turn().events if isinstance(event, RunLost)]
    assert (lost.run, "nothing was heard from barge since 2024-04-01 09:00" in lost.because) == (1, True)
    assert run(world, little.ENVIRON).outcome is Outcome.REGISTERED
