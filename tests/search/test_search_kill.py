"""A search that is killed with signal 9 at any moment goes on: no trial is lost, repeated or changed by it."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace
from tests.search.hills import QUESTION, hill

from towpath.search import Budget, State, search
from towpath.search.trial_log import read
from towpath.search.trials import Ended, apply

ROOT = Path(__file__).parents[2]
TRIALS, SECONDS = 16, 0.02


def start(folder: Path, slots: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.search.hills", folder / "trials.jsonl", folder / "measured"]
    return subprocess.Popen(
        [*map(str, command), str(TRIALS), str(SECONDS), str(slots)], cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


def told_in(path: Path) -> dict:
    trials = {}
    for one in read(path)[1] if path.exists() and b"\n" in path.read_bytes() else []:
        apply(trials, one)
    return trials


def kill_until_done(folder: Path, slots: int, kills: int, seed: int) -> int:
    """Start it again after each kill, with a random moment for the next; how many kills hit it at work."""
    chance, hit = random.Random(seed), 0
    for _ in range(kills):
        process = start(folder, slots)
        before, begin = len((folder / "trials.jsonl").read_bytes()) if (folder / "trials.jsonl").exists() else 0, time.monotonic()
        while time.monotonic() < begin + 20 and process.poll() is None:  # until it is under way: most of a start is imports
            if (folder / "trials.jsonl").exists() and len((folder / "trials.jsonl").read_bytes()) > before:
                break
            time.sleep(0.002)
        time.sleep(chance.random() * 6 * SECONDS)
        hit += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert start(folder, slots).wait(60) == 0
    return hit


def check_whole(folder: Path) -> dict:
    trials = told_in(folder / "trials.jsonl")
    assert list(trials) == list(range(TRIALS))
    assert all(one.state in (State.COMPLETE, State.PRUNED) for one in trials.values())
    ends = Counter(one.number for one in read(folder / "trials.jsonl")[1] if isinstance(one, Ended))
    assert set(ends.values()) == {1}
    return trials


def check_killed(folder: Path, slots: int, kills: int, seed: int) -> None:
    hit = kill_until_done(folder, slots, kills, seed)
    assert hit >= kills // 2, f"only {hit} of {kills} kills hit it at work"
    trials = check_whole(folder)
    begun = Counter((folder / "measured").read_text().splitlines())
    again = {line: times for line, times in begun.items() if times > 1}
    assert sum(times - 1 for line, times in again.items() if line.startswith("begun")) <= hit * slots, "more than was under way"
    if slots == 1:
        unharmed = search(QUESTION, hill, Budget(trials=TRIALS)).trials
        assert [replace(one, seconds=0.0) for one in trials.values()] == [replace(one, seconds=0.0) for one in unharmed]


def test_a_search_that_is_killed_ten_times_makes_the_trials_that_it_would_have_made(tmp_path):
    check_killed(tmp_path, slots=1, kills=10, seed=0)


def test_a_search_of_two_processes_that_is_killed_makes_each_trial_once(tmp_path):
    check_killed(tmp_path, slots=2, kills=4, seed=1)


@pytest.mark.parts
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("slots", [1, 2])
def test_killed_many_times(tmp_path, slots, seed):
    check_killed(tmp_path, slots=slots, kills=12, seed=100 + seed)


def test_workers_die_with_the_process_that_searches(tmp_path):
    process = start(tmp_path, slots=2)
    workers: list[psutil.Process] = []
    deadline = time.monotonic() + 20
    while len(workers) < 2 and time.monotonic() < deadline and process.poll() is None:
        workers = [one for one in psutil.Process(process.pid).children() if "spawn_main" in " ".join(one.cmdline())]
        time.sleep(0.005)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert workers
    assert alive == []
