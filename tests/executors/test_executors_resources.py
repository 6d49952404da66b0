"""What a step asks for: it begins when there is room, gets no more, and is refused where there is not as much at all."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from towpath.cli import main
from towpath.executors.local import LocalExecutor
from towpath.executors.machine import machine
from towpath.pipeline.executor import Resources
from towpath.project_file import load
from towpath.store.local import LocalStore
from towpath.testing.tasks import Bench, waited

YAML = "name: barges\npipeline: pipeline.py\nsteps: {{{steps}}}\n"


@pytest.fixture
def bench(tmp_path):
    (tmp_path / "towpath.yaml").write_text("name: bench\npipeline: towpath.yaml\nsteps: {text: {}}\n")
    project = load(tmp_path, {})
    environ = {**os.environ, "CUDA_VISIBLE_DEVICES": "GPU-a,GPU-b"}
    bench = Bench(tmp_path, lambda: LocalStore(project.home / "store"), lambda cores: LocalExecutor(project, environ, slots=cores))
    yield bench
    bench.close()


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / ".gitignore").write_text(".towpath\n")
    for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "start"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path


def declared(home: Path, steps: str, code: str) -> None:
    (home / "towpath.yaml").write_text(YAML.format(steps=steps))
    (home / "pipeline.py").write_text(code)


def test_what_a_machine_has_is_found():
    here = machine({"CUDA_VISIBLE_DEVICES": "0,1"})
    assert here.cpus == len(os.sched_getaffinity(0))
    assert 100_000_000 < here.memory <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert here.gpus == 2
    assert machine({}).gpus == machine({"CUDA_VISIBLE_DEVICES": ""}).gpus == machine({"CUDA_VISIBLE_DEVICES": "-1"}).gpus == 0


def test_room_is_what_others_have_left(bench):
    executor = bench.executor(4)
    executor.submit(bench.task("lingers", place=str(bench.place), needs=Resources(cpus=2.5, memory=1_000_000_000, gpus=1)))
    has = executor.has
    assert executor.room(Resources(cpus=1.5, memory=has.memory - 1_000_000_000, gpus=1))
    assert not executor.room(Resources(cpus=2))
    assert not executor.room(Resources(memory=has.memory - 999_999_999))
    assert not executor.room(Resources(gpus=2))


def test_a_step_sees_the_gpus_that_are_its_own(bench):
    executor = bench.executor(3)
    for name, count in (("first", 1), ("second", 1), ("third", 0)):
        executor.submit(replace(bench.task("sees", needs=Resources(gpus=count)), step=name, log=""))
    assert sorted(bench.got(done.value) for done in waited(executor, 3)) == ["GPU-a", "GPU-a,GPU-b", "GPU-b"]


@pytest.mark.parametrize(
    ("wants", "words"),
    [
        ("cpus: 900", "step 'rows' asks for cpus: 900, and all there is: "),
        ("memory: 900TB", "step 'rows' asks for memory: 900.0 TB, and all there is: "),
        ("gpus: 1", "step 'rows' asks for gpus: 1, and all there is: 0"),
    ],
)
def test_what_can_never_be_is_refused_before_anything_is_executed(home, capfd, wants, words):
    declared(home, f"rows: {{{wants}}}", "def first():\n    print('executed')\n    return 1\ndef rows(first):\n    return first\n")
    assert main(["run"]) == 1
    told = capfd.readouterr()
    assert words in told.out
    assert "towpath.yaml:3: " in told.out
    assert not list((home / ".towpath/store").glob("executions/*/*"))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("memory: 2", "`steps.rows.memory` cannot be 2"),
        ("memory: 2G", "'2G' is no size"),
        ("cpus: 0", "`steps.rows.cpus` cannot be 0"),
        ("gpus: -1", "`steps.rows.gpus` cannot be -1"),
        ("cpu: 2", "did you mean `cpus`?"),
    ],
)
def test_what_is_no_quantity_is_refused_with_its_key(home, capfd, written, words):
    declared(home, f"rows: {{{written}}}", "def rows():\n    return 1\n")
    assert main(["run"]) == 2
    assert words in capfd.readouterr().err


def test_the_config_shows_sizes_as_they_are_written(home, capfd):
    declared(home, "rows: {memory: 2GB}", "def rows():\n    return 1\n")
    assert main(["config", "show", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["steps"]["rows"]["memory"] == "2GB"


OUT = """
import polars as pl
import numpy as np
def small():
    return 1
def python(small):
    return [bytes(10_000_000) for _ in range(200)]
def array(small):
    return np.ones(300_000_000)
def table(small):
    return pl.DataFrame({"n": pl.arange(300_000_000, eager=True)})
"""


def test_a_library_that_does_not_say_that_memory_ran_out_is_suspected(home, capfd):
    code = "KEPT = []\ndef rows():\n    KEPT.append(b'x' * 170_000_000)\n    raise SystemError('error return without exception')\n"
    declared(home, "rows: {memory: 200MB}", code)
    assert main(["run"]) == 1
    assert "of the 200.0 MB that it may: if that is why, raise its `memory`" in capfd.readouterr().out


@pytest.mark.parametrize("step", ["python", "array", "table"])
def test_out_of_memory_is_told_and_what_was_done_is_kept(home, capfd, step):
    declared(home, f"{step}: {{memory: 900MB}}", OUT)
    assert main(["run"]) == 1
    told = capfd.readouterr().out
    assert f"step '{step}' ran out of memory: it may take 900.0 MB, had " in told
    assert f"raise `memory` under steps.{step} in towpath.yaml" in told
    assert (home / ".towpath/logs/run-1").is_dir()
    declared(home, "small: {}", OUT)
    assert main(["run", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["because"] == "1 step, 1 of them reused"


def test_the_training_stands_among_the_steps_for_how_it_executes(home, capfd):
    rows = "".join(f"{n % 37},{int(n % 37 > 18)}\n" for n in range(300))
    (home / "rows.csv").write_text("x,late\n" + rows)
    (home / "pipeline.py").write_text(
        "KEPT = []\ndef fitted(train, *, strength=1.0):\n    KEPT.append([bytes(10_000_000) for _ in range(200)])\n    return KEPT\n"
    )
    (home / "towpath.yaml").write_text(
        "name: t\ndata: {rows: rows.csv}\npipeline: pipeline.py\nmodel: {task: binary, rows: rows, label: late, train: fitted}\n"
        "steps: {fitted: {memory: 900MB}}\n"
    )
    assert main(["run"]) == 1
    assert "step 'fitted' ran out of memory: it may take 900.0 MB" in capfd.readouterr().out
