"""A checkpoint survives whatever ends a step, is given to the same execution again and to no other, and goes when that has ended well."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from towpath.cli import main
from towpath.pipeline import checkpoints
from towpath.pipeline.calling import call
from towpath.pipeline.graph import defaults_of, inputs_of
from towpath.pipeline.train import fit, parameters_of
from towpath.store.local import LocalStore

CODE = """
import os, time
from pathlib import Path

def counted({parameters}):
    file = checkpoint / "count"
    begin = int(file.read_text()) if file.exists() else 0
    for number in range(begin, 6):
        (checkpoint / "new").write_text(str(number + 1))
        (checkpoint / "new").rename(file)
        if number == 3 and begin == 0:
            {what}
    return [begin, 6]
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    made = tmp_path / "home"
    made.mkdir()
    (made / "towpath.yaml").write_text("name: counting\npipeline: pipeline.py\nsteps: {counted: {}}\n")
    (made / ".gitignore").write_text(".towpath\n")
    for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "start"]):
        subprocess.run(["git", *words], cwd=made, check=True)
    monkeypatch.chdir(made)
    return made


def written(home: Path, what: str, parameters: str = "*, checkpoint: Path") -> None:
    (home / "pipeline.py").write_text(CODE.format(what=what, parameters=parameters))


def kept(home: Path) -> list[Path]:
    folder = home / ".towpath/checkpoints"
    return list(folder.iterdir()) if folder.exists() else []


def last(home: Path) -> list[int]:
    """What the step made when it was last executed."""
    store = LocalStore(home / ".towpath/store")
    (found,) = store.executions()
    return json.loads(store.get(found.output))


def test_a_step_goes_on_after_kill_9_of_the_whole_run(home):
    written(home, "time.sleep(600)")
    run = subprocess.Popen(
        [sys.executable, "-m", "towpath", "run"], cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    until = time.monotonic() + 60
    while not any((one / "count").exists() and (one / "count").read_text() == "4" for one in kept(home)):
        assert time.monotonic() < until
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert len(kept(home)) == 1
    assert main(["run"]) == 0
    assert last(home) == [4, 6]
    assert kept(home) == []


@pytest.mark.parametrize("parameters", ["*, checkpoint: Path", "checkpoint: Path", "*, checkpoint: 'Path'"])
def test_it_goes_on_after_an_error_and_then_is_reused(home, capfd, parameters):
    written(home, "raise ConnectionError('cut')", parameters)
    assert main(["run"]) == 1
    assert "step 'counted' raised ConnectionError: cut" in capfd.readouterr().out
    assert main(["run"]) == 0
    assert last(home) == [4, 6]
    assert kept(home) == []
    assert main(["run", "--json"]) == 0
    assert "1 step, 1 of them reused" in capfd.readouterr().out


def test_another_execution_begins_anew(home):
    written(home, "raise ConnectionError('cut')")
    assert main(["run"]) == 1
    written(home, "pass")
    assert main(["run"]) == 0
    assert last(home) == [0, 6]
    assert len(kept(home)) == 1


def test_gc_removes_what_ended_and_what_nobody_goes_on_from(home, capfd):
    written(home, "raise ConnectionError('cut')")
    assert main(["run"]) == 1
    (young,) = kept(home)
    old = young.with_name("0" * 64)
    (old / "deep").mkdir(parents=True)
    long_ago = (datetime.now(UTC) - timedelta(days=15)).timestamp()
    for one in (old / "deep", old):
        os.utime(one, (long_ago, long_ago))
    capfd.readouterr()
    assert main(["data", "gc", "--dry-run"]) == 0
    assert "1 checkpoints would be removed" in capfd.readouterr().out
    assert main(["data", "gc"]) == 0
    assert kept(home) == [young]
    assert checkpoints.collect(young.parent, lambda fingerprint: fingerprint == young.name, datetime.now(UTC)) == 1
    assert kept(home) == []


def test_it_is_neither_an_input_nor_a_parameter():
    def train(train, *, trees=3, checkpoint: Path):
        (checkpoint / "here").touch()
        train.predict = checkpoint
        return train

    assert inputs_of(train) == ["train"]
    assert defaults_of(train) == parameters_of(train, {}) == {"trees": 3}
    model = fit(train, {"train": type("Model", (), {})}, {"trees": 3}, seed=0, root=Path())
    assert not model.predict.exists()  # nothing is kept of it where nothing is kept at all


def test_a_parameter_of_that_name_that_is_no_path_is_one_like_any_other():
    def rows(checkpoint):
        return checkpoint

    assert inputs_of(rows) == ["checkpoint"]
    assert call("rows", rows, {"checkpoint": 3}, Path()) == 3
