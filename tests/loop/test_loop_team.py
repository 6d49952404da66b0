"""One remote is enough for a team: a job that lives for minutes runs and judges, another machine releases what it made."""

import json
import shutil
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b")


def git(folder, *words):
    return subprocess.run(["git", *AUTHOR, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def towpath(folder, *words):
    done = subprocess.run([sys.executable, "-m", "towpath", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def clones(tmp_path):
    """Two clones of a project with a remote; only the first ever had the data in its folder."""
    (tmp_path / "shared").mkdir()
    one = tmp_path / "one"
    one.mkdir()
    seen = np.random.default_rng(0).normal(size=(500, 2))
    pl.DataFrame({"a": seen[:, 0], "b": seen[:, 1], "late": seen.sum(axis=1) > 0}).write_csv(one / "rows.csv")
    towpath(one, "init", "rows.csv", "--label", "late")
    yaml = one / "towpath.yaml"
    yaml.write_text(yaml.read_text() + "remote: ../shared\n")
    towpath(one, "data", "add")
    towpath(one, "data", "push")
    git(one, "add", "--all")
    git(one, "commit", "-qm", "shared")
    git(tmp_path, "clone", "-q", str(one), "two")
    return one, tmp_path / "two"


def test_a_job_leaves_its_evidence_and_another_machine_releases_it(clones):
    machine, job = clones
    towpath(job, "data", "checkout")
    assert "version 1" in towpath(job, "run")
    package = json.loads(towpath(job, "show", "1", "--json"))["digest"]
    shutil.rmtree(job)
    assert "registered" in towpath(machine, "runs")
    for _ in range(20):
        towpath(machine, "turn")
        if "version 1 serves production" in towpath(machine, "history"):
            break
    answers = json.loads(towpath(machine, "predict", "rows.csv", "--json"))
    assert (answers["version"], len(answers["answers"])) == (1, 500)
    assert json.loads(towpath(machine, "show", "1", "--json"))["digest"] == package
    towpath(machine, "verify", "ledger")


def test_both_write_one_history(clones):
    for folder in clones:
        towpath(folder, "data", "checkout")
    towpath(clones[0], "run")
    towpath(clones[1], "run", "--cause", "once more")
    runs = json.loads(towpath(clones[0], "runs", "--json"))
    assert [run["run"] for run in runs] == [1, 2]
    assert towpath(clones[0], "history") == towpath(clones[1], "history")
