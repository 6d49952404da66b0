"""kill -9 of everything at random moments: start again, nothing acknowledged is lost, the ledger verifies, no lock is left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from towpath.clock import machine_s
from towpath.journal.commit import commit
from towpath.journal.delta import DeltaJournal
from towpath.ledger import verify
from towpath.ledger.anchors import Anchors
from towpath.ledger.sqlite import SqliteLedger
from towpath.serving.client import Client
from towpath.state import fold

YAML = """name: little
data: {rows: {path: rows.parquet, time: at}}
model: {task: binary, rows: rows, label: won}
split: {test: {random: 20%}}
gates: [auc >= baseline + 0.1, parity <= 1e-4]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    generator = np.random.default_rng(1)
    far, kind = generator.normal(size=900), generator.choice(["a", "b"], 900)
    won = (far + (kind == "a") + generator.normal(size=900) > 0).astype(int)
    at = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 2, 7, 11), "1h", eager=True)[:900]
    pl.DataFrame({"at": at, "far": far, "kind": kind, "won": won}).write_parquet(tmp_path / "rows.parquet")
    (tmp_path / "towpath.yaml").write_text(YAML)
    (tmp_path / ".gitignore").write_text(".towpath/\nrows.parquet\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "start"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    return tmp_path


def towpath(project: Path, *words: str) -> subprocess.Popen[bytes]:
    """A command in a process group of its own, so that kill -9 takes its children too."""
    with (project / "out.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "towpath", *words], cwd=project, stdout=log, stderr=log, start_new_session=True)


def kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def verifies(project: Path) -> None:
    home = project / ".towpath"
    if (home / "ledger.sqlite").exists():
        checked = verify(SqliteLedger(home / "ledger.sqlite").read(), Anchors(home / "anchors.jsonl").all())
        assert checked.faults == ()


def asked(client: Client, number: int) -> bool:
    """Whether one request was answered with 200."""
    inputs = [
        {"name": "far", "shape": [1], "datatype": "FP64", "data": [number / 100]},
        {"name": "kind", "shape": [1], "datatype": "BYTES", "data": ["a"]},
    ]
    (answer,) = client.post_all("/v2/models/little/infer", [json.dumps({"id": f"q{number}", "inputs": inputs}).encode()])
    return answer is not None and answer[0] == 200


def kills_of_up(project: Path, times: int, seed: int) -> None:
    chance = random.Random(seed)
    answered: list[int] = []
    number = 0
    ready = project / ".towpath" / "serve-0.json"
    for _ in range(times):
        ready.unlink(missing_ok=True)  # its port is nobody's now
        process = towpath(project, "up", "--port", "0", "--console", "0")
        until = machine_s() + chance.uniform(1.0, 12.0)
        client: Client | None = None
        while machine_s() < until:
            if client is None and ready.exists():
                client = Client("127.0.0.1", json.loads(ready.read_bytes())["port"], connections=1, timeout_s=1)
            if client and asked(client, number):
                answered.append(number)
            number += 1
            time.sleep(0.01)
        kill(process)
        if client:
            client.close()
        verifies(project)
    _ends_well(project, answered)


def _ends_well(project: Path, answered: list[int]) -> None:
    """After the last kill: up comes up, serves, stops cleanly, and every acknowledged request is in the journal once."""
    assert answered, "no request was answered between two kills: the test saw nothing"
    process = towpath(project, "up", "--port", "0", "--console", "0")
    end = machine_s() + 60
    ready = project / ".towpath" / "serve-0.json"
    ready.unlink(missing_ok=True)
    ledger = SqliteLedger(project / ".towpath" / "ledger.sqlite")
    while fold(ledger.read()).live.champion("production") is None or not ready.exists():
        assert machine_s() < end, (project / "out.log").read_text()
        time.sleep(0.2)
    process.terminate()
    assert process.wait(30) == 0
    journal = DeltaJournal(project / ".towpath" / "journal")
    commit(project / ".towpath" / "spool", journal)
    counted = Counter(journal.predictions().frame["id"].to_list())
    assert {f"q{number}" for number in answered} <= counted.keys()
    assert max(counted.values(), default=1) == 1
    verifies(project)
    state = fold(ledger.read())
    assert state.runs.going_on is None
    assert len(state.registry.versions) == 1  # the same bytes, however often the run was lost and began anew


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_up_killed_at_random_moments_loses_nothing(project: Path) -> None:
    kills_of_up(project, times=3, seed=7)


@pytest.mark.parts
@pytest.mark.timeout(400)
def test_up_killed_at_ten_random_moments_loses_nothing(project: Path) -> None:
    kills_of_up(project, times=10, seed=11)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("times", [3, pytest.param(10, marks=pytest.mark.parts)])
def test_run_killed_at_random_moments_is_found_lost_and_done_again(project: Path, times: int) -> None:
    chance = random.Random(times)
    for _ in range(times):
        process = towpath(project, "run")
        time.sleep(chance.uniform(0.3, 2.5))
        kill(process)
        verifies(project)
    process = towpath(project, "run")
    assert process.wait(60) == 0, (project / "out.log").read_text()
    verifies(project)
    state = fold(SqliteLedger(project / ".towpath" / "ledger.sqlite").read())
    assert state.runs.going_on is None
    assert list(state.registry.versions) == [1]


@pytest.mark.timeout(120)
def test_a_second_up_is_told_and_the_first_stops_cleanly(project: Path) -> None:
    first = towpath(project, "up", "--port", "0", "--console", "0")
    lock = project / ".towpath" / "locks" / "up"
    while not (lock.exists() and lock.read_text()):
        time.sleep(0.05)
    second = subprocess.run([sys.executable, "-m", "towpath", "up"], cwd=project, capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert f"process {first.pid}" in second.stderr
    first.terminate()
    assert first.wait(30) == 0
    assert _members(first.pid) == []


def _members(group: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.getpgid(int(entry)) == group:
                    found.append(int(entry))
            except ProcessLookupError:
                continue
    return found
