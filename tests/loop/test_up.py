"""`up` and `run` as real processes: one of each, stopped cleanly, and killed at any moment without a loss."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.loop import little

from towpath.cli import main
from towpath.events import Outcome, RunLost, RunStarted
from towpath.journal.commit import commit
from towpath.run import run

ENVIRON = {name: value for name, value in little.ENVIRON.items() if name != "TOWPATH_HOME"}
BODY = [("distance", "FP64", 12.5), ("hour", "INT64", 17), ("zone", "BYTES", "north")]


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def towpath(root: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "towpath", *words, "--project", str(root)]
    with (root / ".towpath" / "test.log").open("ab") as log:
        return subprocess.Popen(command, env=ENVIRON, stdout=log, stderr=log)


class Up:
    """`towpath up` on a port, and whoever asks it for predictions."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, free_port()
        self.process = towpath(root, "up", "--port", str(self.port), "--console", str(free_port()))

    def ask(self, id: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        inputs = [{"name": name, "shape": [1], "datatype": kind, "data": [value]} for name, kind, value in BODY]
        try:
            connection.request("POST", "/v2/models/little/infer", json.dumps({"id": id, "inputs": inputs}))
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def wait(self) -> Up:
        wait(lambda: self.ask(f"first-{self.port}") == 200)
        return self

    def family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


def wait(until: Callable[[], bool], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return little.make(tmp_path / "little")


@pytest.fixture
def start(root: Path) -> Iterator[Callable[[], Up]]:
    ups: list[Up] = []

    def started() -> Up:
        ups.append(Up(root))
        return ups[-1]

    yield started
    little.end([up.process for up in ups])


def test_a_second_up_is_told_and_sigterm_leaves_no_child(root: Path, start: Callable[[], Up], capfd: pytest.CaptureFixture[str]) -> None:
    little.live(root)
    up = start().wait()
    family = up.family()
    assert len(family) > 1
    assert main(["up", "--project", str(root), "--port", "0", "--console", "0"]) == 2
    told = capfd.readouterr().err
    assert "is up already" in told
    assert str(up.process.pid) in told
    assert str(up.port) in told
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(30) == 0
    wait(lambda: all(map(is_gone, family)), 5)
    assert main(["verify", "ledger", "--project", str(root)]) == 0


def ask_until_gone(up: Up, name: str, answered: list[str]) -> None:
    number = 0
    while up.process.poll() is None:
        number += 1
        if up.ask(f"{name}-{number}") == 200:
            answered.append(f"{name}-{number}")
        else:
            time.sleep(0.02)


def kills(root: Path, start: Callable[[], Up], moments: list[float]) -> None:
    """kill -9 of `up` at each of some moments after its start, under requests; then nothing acknowledged is lost."""
    little.live(root)
    answered: list[str] = []
    for number, moment in enumerate(moments):
        up = start()
        asker = threading.Thread(target=ask_until_gone, args=(up, f"t{number}", answered))
        asker.start()
        time.sleep(moment)
        if number == len(moments) - 1:
            wait(lambda: len(answered) > 10, 60)  # however slow the machine: the last kill comes under requests that are answered
        family = up.family()
        os.kill(up.process.pid, signal.SIGKILL)
        up.process.wait()
        asker.join()
        wait(lambda family=family: all(map(is_gone, family)), 10)  # type: ignore[misc]
        assert main(["verify", "ledger", "--project", str(root)]) == 0
    up = start().wait()  # nobody deleted a lock
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(30) == 0
    world = little.world(root)
    commit(world.spool, world.journal)
    there = world.journal.predictions().frame["id"].to_list()
    assert len(there) == len(set(there))
    assert set(answered) <= set(there)
    assert len(answered) > 10
    assert main(["verify", "ledger", "--project", str(root)]) == 0
    assert world.state().live.champion("production") == 1


def test_up_may_be_killed_at_any_moment(root: Path, start: Callable[[], Up]) -> None:
    draw = random.Random(4)
    kills(root, start, [draw.uniform(0.3, 2.0), draw.uniform(2.0, 4.0), 4.5])


@pytest.mark.parts
@pytest.mark.timeout(240)
def test_up_may_be_killed_at_ten_moments(root: Path, start: Callable[[], Up]) -> None:
    draw = random.Random(5)
    kills(root, start, [draw.uniform(0.1, 6.0) for _ in range(9)] + [5.0])


def killed_runs(root: Path, moments: list[float]) -> None:
    """kill -9 of `run`, each time at another moment; what it left is finished or begun anew."""
    (root / ".towpath").mkdir(exist_ok=True)
    for moment in moments:
        child = towpath(root, "run")
        time.sleep(moment)
        child.kill()
        child.wait()
        little.loop(root).turn()
        assert little.world(root).state().runs.going_on is None
        assert main(["verify", "ledger", "--project", str(root)]) == 0
    started, lost = little.events(root, RunStarted), little.events(root, RunLost)
    assert len(lost) <= len(started)
    state = little.world(root).state()
    assert all(one.outcome is not None or one.lost for one in state.runs.all.values())
    ended = run(little.world(root), little.ENVIRON)
    assert ended.outcome in (Outcome.REGISTERED, Outcome.UNCHANGED)
    state = little.world(root).state()
    assert list(state.registry.versions) == [1], ended.because


def test_a_run_may_be_killed_at_any_moment(root: Path) -> None:
    draw = random.Random(6)
    killed_runs(root, [draw.uniform(0.8, 2.2) for _ in range(3)])


@pytest.mark.parts
def test_a_run_may_be_killed_at_ten_moments(root: Path) -> None:
    draw = random.Random(7)
    killed_runs(root, [draw.uniform(0.5, 2.6) for _ in range(10)])
