"""A run that is cut off in the middle of a step: what was finished is kept and told, and the next run goes on from there."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.words import PIPELINE

from towpath import events as ev
from towpath import kept
from towpath.cli import main
from towpath.project_file import load
from towpath.testing.executors import is_alive

TOWPATH = [sys.executable, "-m", "towpath"]
LASTS = PIPELINE.replace(
    "    return max(words, key=len)",
    """    import os, pathlib, subprocess, time
    child = subprocess.Popen(["sleep", "600"])
    pathlib.Path({pids!r} + ".new").write_text(f"{{os.getpid()}} {{child.pid}}")
    pathlib.Path({pids!r} + ".new").rename({pids!r})
    time.sleep(600)
    return 1""",
)


def events(home: Path) -> list[ev.AnyEvent]:
    return [record.entry.event for record in kept.ledger(load(home, {})).read()]


def until(holds: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, otherwise
        time.sleep(0.02)


@contextmanager
def lasting(home: Path, pids: Path, stderr: int) -> Iterator[subprocess.Popen[bytes]]:
    """A run whose second step is under way."""
    (home / "pipeline.py").write_text(LASTS.format(pids=str(pids)))
    with subprocess.Popen([*TOWPATH, "run"], cwd=home, stdout=subprocess.PIPE, stderr=stderr) as run:
        try:
            until(pids.exists, "the step never began")
            yield run
        finally:
            run.kill()


def gone(pids: Path) -> None:
    until(lambda: not any(map(is_alive, map(int, pids.read_text().split()))), "a worker or its child outlived the run")


def goes_on(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The next run makes what is missing, and knows who made the rest."""
    (home / "pipeline.py").write_text(PIPELINE)
    assert main(["run", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["because"] == "2 steps, 1 of them reused"
    assert main(["why", "step", "words"]) == 0
    assert "reused: nothing that it depends on has changed since run 1 (" in capfd.readouterr().out


def test_ctrl_c_ends_the_run_and_its_children_and_tells_what_was_done(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with lasting(home, tmp_path / "pids", subprocess.PIPE) as run:
        run.send_signal(signal.SIGINT)
        told = run.communicate(timeout=60)
    assert run.returncode == 130
    assert b"Traceback" not in told[0] + told[1]
    assert b"step words: 0.0 s" in told[1]
    gone(tmp_path / "pids")
    begun, planned, words, end = events(home)
    assert isinstance(begun, ev.RunStarted)
    assert isinstance(planned, ev.StepsPlanned)
    assert isinstance(words, ev.StepExecuted)
    assert (words.step, words.reused) == ("words", False)
    assert end == ev.RunEnded(run=1, outcome=ev.Outcome.FAILED, because="interrupted")
    goes_on(home, capfd)


def test_a_run_that_goes_on_shows_how_far_it_is_and_kill_9_takes_nothing_of_it(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    terminal, stderr = pty.openpty()
    with lasting(home, tmp_path / "pids", stderr) as run:
        os.close(stderr)
        until(lambda: any(isinstance(one, ev.StepExecuted) for one in events(home)), "the step that had ended was not told")
        assert main(["show", "run", "1", "--graph"]) == 0
        shown = capfd.readouterr().out.split("\n")
        assert shown[0].split()[:3] == ["●", "words", "executed"]
        assert shown[1].split()[:4] == ["·", "longest", "not", "reached"]
        run.send_signal(signal.SIGKILL)
        run.wait()
    gone(tmp_path / "pids")
    assert "\r1 of 2 steps; longest " in os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    goes_on(home, capfd)
