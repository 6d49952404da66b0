"""A project that trains no model: a run makes the steps that are wanted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.words import PIPELINE

from towpath.cli import main
from towpath.store.local import LocalStore

TOWPATH = [sys.executable, "-m", "towpath"]


def made(home: Path, step: str) -> object:
    """What a step made in the last run."""
    found = next(one for one in reversed(list(LocalStore(home / ".towpath/store").executions())) if one.step == step)
    return json.loads(LocalStore(home / ".towpath/store").get(found.output)) if found.codec == "json" else None


def test_it_makes_its_steps_and_the_second_time_none(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run"]) == 0
    first = capfd.readouterr()
    assert "run 1 made its steps: 2 steps, 0 of them reused" in first.out
    assert "step longest: 0.0 s" in first.err
    assert main(["run", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["because"] == "2 steps, 2 of them reused"
    assert main(["runs"]) == 0
    assert "executed" in capfd.readouterr().out
    assert made(home, "words") == ["lock", "gate", "barge"]
    assert main(["status"]) == 0
    assert main(["verify", "ledger"]) == 0


def test_nothing_heavy_is_loaded_for_it(home: Path) -> None:
    heavy = "{'numpy', 'polars', 'pandas', 'pyarrow', 'scipy', 'sklearn', 'pydantic'}"
    code = f"import sys\nfrom towpath.cli import main\nmain(['run'])\nprint(sorted({heavy} & set(sys.modules)))"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: words\npipeline: pipeline.py\n", "there is nothing to make: declare a `model`, or the `steps`"),
        ("name: words\nsteps: {longest: {}}\n", "there is no pipeline to take the step 'longest' from"),
        ("name: words\npipeline: pipeline.py\nsteps: {longst: {}}\n", "no dataset or step called 'longst' (mend: did you mean longest"),
        ("name: words\npipeline: pipeline.py\nsteps: {longest: {retry: 3}}\n", "did you mean `retry_on`?"),
    ],
)
def test_what_cannot_be_made_is_told(home: Path, capfd: pytest.CaptureFixture[str], text: str, words: str) -> None:
    (home / "towpath.yaml").write_text(text)
    assert main(["run"]) in (1, 2)
    told = capfd.readouterr()
    assert words in told.out + told.err


def test_a_model_is_asked_for_where_there_is_none(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["up"]) == 2
    assert "trains no model" in capfd.readouterr().err


def test_kill_9_ends_the_workers_too_and_keeps_what_was_done(home: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    (home / "pipeline.py").write_text(
        PIPELINE.replace(
            "    return max(words, key=len)",
            f"    import os, subprocess, time\n    child = subprocess.Popen(['sleep', '60'])\n"
            f"    open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n    time.sleep(60)\n    return 1",
        )
    )
    run = subprocess.Popen([*TOWPATH, "run"], cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not (pids.exists() and len(pids.read_text().split()) == 2):
        assert time.monotonic() < until
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait()
    until = time.monotonic() + 10
    while any(alive(int(pid)) for pid in pids.read_text().split()):
        assert time.monotonic() < until, "a worker or its child outlived the run"
        time.sleep(0.05)
    (home / "pipeline.py").write_text(PIPELINE)
    done = subprocess.run([*TOWPATH, "run", "--json"], cwd=home, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["because"] == "2 steps, 1 of them reused"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z" and os.getpgid(pid) >= 0
    except (FileNotFoundError, ProcessLookupError):
        return False
