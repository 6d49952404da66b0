"""Turns on a real ledger, store and journal: what fires a run, what a turn finishes that another left, what a person may do."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.loop import little

from towpath import operator, wiring
from towpath.errors import Refused, UsageError
from towpath.events import (
    EnvironmentJudged,
    ReleaseStarted,
    RunEnded,
    RunLost,
    RunStarted,
    TriggerFired,
    TriggerRefused,
    VersionPromoted,
)
from towpath.locks import RUN, lock_of
from towpath.run import run

SLEEPY = "    time.sleep(60)\n    return rides"
SLOW = little.PIPELINE.replace("def rows(", "import time\n\n\ndef rows(").replace("    return rides", SLEEPY)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return little.make(tmp_path / "little")


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """Version 1 serves."""
    return little.prepared(tmp_path / "little", little.live)


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """Version 1 serves, version 2 stands in staging."""
    return little.prepared(tmp_path / "little", little.waiting)


def towpath(root: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "towpath", *words, "--project", str(root)]
    environ = {name: value for name, value in little.ENVIRON.items() if name != "TOWPATH_HOME"}
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def served(root: Path) -> tuple[int | None, int | None]:
    """Champion and challenger as a server would fold them from the ledger."""
    told = wiring.source(little.world(root).project, "production")()
    return told.champion and told.champion.version, told.challenger and told.challenger.version


def test_new_rows_above_the_share_fire_one_run_and_below_it_none(live: Path) -> None:
    loop = little.loop(live)
    little.deliver(live, 3, little.rides(3, 390))  # 19.5 % of what was trained on
    assert loop.turn().events == ()
    little.deliver(live, 3, little.rides(3, 410))
    [fired] = loop.turn().events
    assert isinstance(fired, TriggerFired)
    assert (fired.trigger, fired.run) == ("new_rows", 2)
    assert "410 new rows in rides" in fired.cause
    assert loop.turn().events == () == little.loop(live).turn().events


def test_a_turn_that_died_before_acting_is_finished_by_the_next(root: Path) -> None:
    """The first loop decides and starts nothing; a turn in a process of its own does the run, then staging, then the promotion."""
    assert [type(event) for event in little.loop(root).turn().events] == [TriggerFired]
    assert little.events(root, RunStarted) == []
    for _ in range(3):
        turned = towpath(root, "turn")
        out, _ = turned.communicate(timeout=60)
        assert turned.returncode == 0, out.decode()
    [started] = little.events(root, RunStarted)
    assert isinstance(started, RunStarted)
    assert (started.run, started.trigger) == (1, "new_rows")
    assert [type(event) for event in little.events(root, RunEnded, EnvironmentJudged, VersionPromoted)] == [
        RunEnded,
        EnvironmentJudged,
        VersionPromoted,
    ]
    assert served(root) == (1, None)


def test_a_run_that_was_killed_is_lost_and_its_cause_fires_again(root: Path) -> None:
    little.commit(root, pipeline=SLOW)
    little.loop(root).turn()
    child = towpath(root, "run", "--fired", "1")
    try:
        wait(lambda: bool(little.events(root, RunStarted)))
        assert little.loop(root).turn().events == ()  # it is at work
        child.send_signal(signal.SIGKILL)
    finally:
        little.end([child])
        child.communicate()
    events = little.loop(root).turn().events
    assert [type(event) for event in events if not isinstance(event, TriggerRefused)] == [RunLost]
    assert [event.run for event in little.loop(root).turn().events if isinstance(event, TriggerFired)] == [2]
    little.commit(root, pipeline=little.PIPELINE)
    assert run(little.world(root), little.ENVIRON, fired=2).version == 1
    assert lock_of(little.world(root).project.home, RUN).is_free()


def wait(until: object, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not until():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_of_two_loops_at_once_one_fires(root: Path) -> None:
    loops = [little.loop(root) for _ in range(2)]
    both = threading.Barrier(2)

    def turns(number: int) -> None:
        both.wait()
        for _ in range(5):
            loops[number].turn()

    threads = [threading.Thread(target=turns, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(little.events(root, TriggerFired)) == 1


def test_of_two_hands_one_starts_the_run(root: Path) -> None:
    world, other = little.world(root), little.world(root)
    little.loop(root).turn()
    state = world.state()
    hands = [wiring.hands(one, little.ENVIRON) for one in (world, other)]
    for hand in hands:
        hand.act(state)
    assert [hand.busy() for hand in hands] == [("run",), ()]
    for hand in hands:
        hand.wait()
    assert len(little.events(root, RunStarted)) == 1
    [ended] = little.events(root, RunEnded)
    assert isinstance(ended, RunEnded)
    assert ended.version == 1


def test_a_firing_runs_once(root: Path) -> None:
    little.loop(root).turn()
    run(little.world(root), little.ENVIRON, fired=1)
    with pytest.raises(Exception, match="was not fired, or has begun"):
        run(little.world(root), little.ENVIRON, fired=1)
    assert len(little.events(root, RunStarted)) == 1


def test_a_challenger_is_released_by_its_stages_and_a_person_may_hold_it(waiting: Path) -> None:
    started = [event for event in little.loop(waiting).turn().events if isinstance(event, ReleaseStarted)]
    assert [(event.version, event.champion) for event in started] == [(2, 1)]
    assert served(waiting) == (1, 2)
    world = little.world(waiting)
    operator.pause(world, "ann", "a fair")
    with pytest.raises(UsageError, match=r"paused already \(ann: a fair\)"):
        operator.pause(world, "ann", "again")
    assert "paused by" in operator.in_words(wiring.standing(world))
    operator.resume(world, "ann")
    with pytest.raises(UsageError, match="is not paused"):
        operator.resume(world, "ann")


@pytest.mark.parametrize("outside", [False, True], ids=["its own fault", "a cause outside"])
def test_taking_a_challenger_back_leaves_the_champion(waiting: Path, outside: bool) -> None:
    loop = little.loop(waiting)
    loop.turn()
    world = little.world(waiting)
    operator.rollback(world, "ann", "it looks odd", quarantine=not outside)
    assert served(waiting) == (1, None)
    digest = world.state().registry.version(2).digest
    assert (digest in world.state().live.quarantine) is not outside
    assert not [event for event in loop.turn().events if isinstance(event, ReleaseStarted)]  # it is not begun again by itself
    if outside:
        operator.deploy(world, 2, "ann")
        assert [event.version for event in loop.turn().events if isinstance(event, ReleaseStarted)] == [2]
    else:
        with pytest.raises(Refused, match="quarantined: it looks odd"):
            operator.deploy(world, 2, "ann")


def test_taking_the_champion_back_lets_the_version_before_serve(root: Path) -> None:
    root.joinpath("towpath.yaml").write_text(little.YAML.replace("{shadow: 20, canary: [50%]}", "{}"))
    little.git(root, "commit", "--quiet", "--all", "--message", "at once")
    little.waiting(root)
    little.loop(root).turn()
    assert served(root) == (2, None)
    world = little.world(root)
    operator.rollback(world, "ann", "complaints", quarantine=True)
    assert served(root) == (1, None)
    little.loop(root).turn()
    assert served(root) == (1, None)
    with pytest.raises(UsageError, match="nothing to go back to"):
        operator.rollback(world, "ann", "more complaints", quarantine=True)


def test_what_did_not_pass_staging_is_refused_and_never_routed(live: Path) -> None:
    little.commit(live, scaling=little.SCALING.replace("column / 10", "column / 12"))
    little.ran(live)
    with pytest.raises(Refused, match="has not passed the checks of staging"):
        operator.deploy(little.world(live), 2, "ann")
    little.loop(live).turn()
    assert served(live) == (1, None)
    with pytest.raises(UsageError, match="serves production already"):
        operator.deploy(little.world(live), 1, "ann")
    with pytest.raises(LookupError):
        operator.deploy(little.world(live), 7, "ann")
