"""The core by itself, without any extra, in an environment of its own: its size, and all that needs no training."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytestmark = [pytest.mark.parts, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
MOST_MB = 700


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """A fresh environment with the core in it; its folder of programs."""
    home = tmp_path_factory.mktemp("core")
    venv.create(home, with_pip=True)
    pip = [home / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    copy = tmp_path_factory.mktemp("source")  # a build leaves files beside what it builds
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    subprocess.run([*pip, "install", "--quiet", "--constraint", ROOT / "constraints.txt", copy], check=True, env=environ)
    return home / "bin"


def say(program, *words, cwd):
    return subprocess.run([program, *words], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with one version, trained where the extra `train` is."""
    folder = tmp_path_factory.mktemp("project")
    seen = np.random.default_rng(0).normal(size=(500, 2))
    pl.DataFrame({"a": seen[:, 0], "b": seen[:, 1], "late": seen.sum(axis=1) > 0}).write_csv(folder / "rows.csv")
    here = Path(sys.executable).parent / "towpath"
    for words in (("init", "rows.csv"), ("run",)):
        done = say(here, *words, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


def test_the_core_takes_less_room_than_promised(core):
    place = next((core.parent / "lib").glob("python*/site-packages"))
    bytes_ = sum(file.stat().st_blocks * 512 for file in place.rglob("*") if file.is_file())
    assert bytes_ / 2**20 < MOST_MB, f"{bytes_ / 2**20:.0f} MB with pip and byte code"


def test_training_without_its_extra_is_told_with_the_way_on(core, project):
    done = say(core / "towpath", "run", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'towpath[train]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_names_what_is_missing_and_is_well(core, project):
    done = say(core / "towpath", "doctor", cwd=project)
    assert done.returncode == 0, done.stdout
    assert "pip install 'towpath[train]'" in done.stdout


def test_turns_bring_a_version_to_production_and_it_answers(core, project):
    for _ in range(20):
        assert say(core / "towpath", "turn", cwd=project).returncode == 0
        status = say(core / "towpath", "status", cwd=project)
        if "production version 1" in " ".join(status.stdout.split()):
            break
    else:
        pytest.fail(status.stdout + status.stderr)
    answered = say(core / "towpath", "predict", "rows.csv", cwd=project)
    assert answered.stdout.splitlines()[0] == "prediction,probability", answered.stderr
    assert len(answered.stdout.splitlines()) == 501
    assert say(core / "towpath", "verify", "ledger", cwd=project).returncode == 0


@pytest.mark.parametrize("words", [("drift",), ("monitor",), ("decisions",), ("why", "1"), ("release",)])
def test_everything_that_is_asked_of_a_server_needs_no_extra(core, project, words):
    done = say(core / "towpath", *words, cwd=project)
    assert done.returncode == 0, done.stderr
