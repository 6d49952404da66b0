"""What may go wrong with the steps of a project, told as it is to a person; nothing that was finished is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from towpath import events as ev
from towpath import kept
from towpath.cli import main
from towpath.digest import Digest
from towpath.ledger import Entry
from towpath.project_file import load

TOWPATH = [sys.executable, "-m", "towpath"]
YAML = "name: locks\ndata: {raw: raw.csv}\npipeline: pipeline.py\nsteps: {longest: {}}\n"
PIPELINE = "def words(raw):\n    return raw['word'].to_list()\n\n\ndef longest(words):\n    return max(words, key=len)\n"
Told = tuple[int, str]
Run = Callable[..., Told]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    monkeypatch.chdir(made)
    for name, text in {
        "towpath.yaml": YAML,
        ".gitignore": ".towpath\n__pycache__\n",
        "pipeline.py": PIPELINE,
        "raw.csv": "word\nlock\ngates\n",
    }.items():
        (made / name).write_text(text)
    git(made, "init", "--quiet", "--initial-branch", "main")
    commit(made)
    return made


@pytest.fixture
def run(home: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs with other code: the exit code, and all that is told."""

    def run(text: str = PIPELINE) -> Told:
        (home / "pipeline.py").write_text(text)
        code = main(["run"])
        return code, "".join(capfd.readouterr())

    return run


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "more")
    return git(folder, "rev-parse", "HEAD")


ENDS = "def words(raw):\n    return {made}\n\n\ndef longest(words):\n    return 1\n"
FAULTS = {
    "a cycle": (
        "def words(longest):\n    return 1\n\n\ndef longest(words):\n    return 1\n",
        "pipeline.py:5: steps need each other: longest -> words -> longest",
    ),
    "a name": (
        "def longest(rwa):\n    return 1\n",
        "pipeline.py:1: no dataset or step (needed by 'longest') called 'rwa' (mend: did you mean raw?",
    ),
    "a default": (
        "def longest(raw, limit=10, by='a'):\n    return 1\n",
        "no dataset or step (needed by 'longest') called 'limit' (mend: where it is a hyperparameter, write it behind `*`: "
        "`def longest(raw, *, limit=10, by='a')`)",
    ),
    "a partial": (
        "from functools import partial\n\n\ndef f(raw, n):\n    return 1\n\n\nlongest = partial(f, n=1)\n",
        "called 'longest' (mend: 'longest' of pipeline.py:8 is not written as a function",
    ),
    "nothing": ("def longest(raw):\n    raw.sum()\n", "step 'longest' returned None"),
    "a generator": (
        "def longest(raw):\n    return (one for one in raw)\n",
        "step 'longest' returned a builtins.generator, which cannot be kept",
    ),
    "a file": ("def longest(raw):\n    return open('pipeline.py')\n", "step 'longest' returned a _io.TextIOWrapper, which cannot be kept"),
    "a syntax": ("def longest(raw):\n    return (\n", "pipeline.py:2: '(' was never closed"),
    "an import": ("import no_such\n\n\ndef longest(raw):\n    return no_such.a\n", "No module named 'no_such'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_step_that_cannot_be_made_is_told(run: Run, fault: str) -> None:
    text, words = FAULTS[fault]
    code, told = run(text)
    assert code == 1
    assert words in told
    assert "Traceback" not in told


def test_an_exception_is_told_with_its_lines_what_it_took_and_its_log(home: Path, run: Run) -> None:
    code, told = run(
        PIPELINE.replace("max(words, key=len)", "print('looking') or helper(words)") + "\n\ndef helper(words):\n    return words.a\n"
    )
    assert code == 1
    assert "run 1 failed: step 'longest' raised AttributeError: 'list' object has no attribute 'a'" in told
    assert 'File "pipeline.py", line 6, in longest' in told
    assert 'File "pipeline.py", line 10, in helper' in told
    assert "\nit took words " in told
    log = home / ".towpath/logs/run-1/longest.log"
    assert str(log) in told
    assert "calling.py" not in told
    lines = log.read_text().splitlines()
    assert lines[:2] == ["looking", "Traceback (most recent call last):"]
    assert lines[-1] == "AttributeError: 'list' object has no attribute 'a'"
    assert "reused: words" in run()[1]


SLOW = PIPELINE.replace("    return max(words, key=len)", "    {body}\n    return max(words, key=len)")


def test_the_second_of_two_runs_at_once_is_told_which(home: Path, run: Run, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    body = (
        f"import pathlib, time\n    sign = pathlib.Path({str(sign)!r})\n    sign.touch()\n    while sign.exists():\n        time.sleep(.02)"
    )
    (home / "pipeline.py").write_text(SLOW.format(body=body))
    commit(home)
    first = subprocess.Popen([*TOWPATH, "run"], cwd=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    until = time.monotonic() + 60
    while not sign.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    code, told = run(SLOW.format(body=body))
    assert code == 1
    assert f"run 1 is going on: process {first.pid}, since 20" in told
    assert "there is one run at a time" in told
    sign.unlink()
    assert "made its steps" in first.communicate(timeout=60)[0]
    assert first.returncode == 0
    assert "2 of them reused" in run(SLOW.format(body=body))[1]


def test_a_worker_that_is_killed_is_a_fault_of_its_step(home: Path, run: Run, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    body = f"import os, time\n    open({str(pid)!r}, 'w').write(str(os.getpid()))\n    time.sleep(60)"
    (home / "pipeline.py").write_text(SLOW.format(body=body))
    going = subprocess.Popen([*TOWPATH, "run"], cwd=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    until = time.monotonic() + 60
    while not (pid.exists() and pid.read_text()):
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    told = going.communicate(timeout=60)[0]
    assert going.returncode == 1
    assert "step 'longest' was killed (signal 9)" in told
    assert "it took words " in told
    assert "reused: words" in run()[1]


def test_a_branch_that_is_behind_what_others_pushed_is_told_before_time_is_spent(home: Path, run: Run, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(home), "origin.git")
    git(home, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(home, "fetch", "--quiet", "origin")
    git(home, "branch", "--quiet", "--set-upstream-to", "origin/main")
    assert "warning" not in run()[1]
    git(tmp_path, "clone", "--quiet", str(tmp_path / "origin.git"), "other")
    commit(tmp_path / "other")
    git(tmp_path / "other", "push", "--quiet")
    git(home, "fetch", "--quiet")
    code, told = run()
    assert code == 0
    assert "warning: this branch is 1 commit behind origin/main: `git pull` takes them in\nreading raw" in told


def test_a_branch_without_what_made_the_champion_is_told(home: Path, run: Run) -> None:
    first = git(home, "rev-parse", "HEAD")
    git(home, "checkout", "--quiet", "-b", "other")
    champions = commit(home)
    digest = Digest("d" * 64)
    events = [
        ev.RunStarted(run=1, trigger="command", cause="by hand", commit=champions, host="h", boot="b", pid=1),
        ev.RunEnded(run=1, outcome=ev.Outcome.REGISTERED, because="", version=1),
        ev.VersionPromoted(environment="production", version=1, digest=digest, previous=None, release=None, by="a", because=""),
    ]
    at = datetime(2024, 6, 1, tzinfo=UTC)
    kept.ledger(load(home, {})).append([Entry(id=str(n), at=at, machine=0.0, event=one) for n, one in enumerate(events)])
    assert "warning" not in run()[1]
    git(home, "checkout", "--quiet", "main")
    told = run()[1]
    assert f"warning: version 1, which serves, was made from commit {champions[:8]}" in told
    assert f"is not among those before {first[:8]}" in told
    git(home, "merge", "--quiet", "other")
    commit(home)
    assert "warning" not in run()[1]


def test_help_of_why_knows_the_steps(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "--help"]) == 0
    assert "towpath why step NAME" in capfd.readouterr().out
