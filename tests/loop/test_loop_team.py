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


def rows(count, seed=0):
    seen = np.random.default_rng(seed).normal(size=(count, 2))
    return pl.DataFrame({"a": seen[:, 0], "b": seen[:, 1], "late": seen.sum(axis=1) > 0})


def cloned(one, remote):
    """A project with a remote, pushed, and a clone beside it; only the first ever had the data in its folder."""
    one.mkdir()
    rows(500).write_csv(one / "rows.csv")
    towpath(one, "init", "rows.csv", "--label", "late")
    yaml = one / "towpath.yaml"
    yaml.write_text(yaml.read_text() + f"remote: {remote}\n")
    towpath(one, "data", "add")
    towpath(one, "data", "push")
    git(one, "add", "--all")
    git(one, "commit", "-qm", "shared")
    git(one.parent, "clone", "-q", str(one), "two")
    return one, one.parent / "two"


@pytest.fixture
def clones(tmp_path):
    (tmp_path / "shared").mkdir()
    return cloned(tmp_path / "one", "../shared")


@pytest.fixture
def clones_with_a_bucket(tmp_path, seaweedfs, monkeypatch):
    for name, value in seaweedfs.environ.items():
        monkeypatch.setenv(name, value)
    return cloned(tmp_path / "one", seaweedfs.new())


def go_live(folder):
    """Turns of the loop until version 1 serves production."""
    for _ in range(20):
        towpath(folder, "turn")
        if "version 1 serves production" in towpath(folder, "history"):
            return
    raise AssertionError(towpath(folder, "history"))


def runs(folder):
    """The runs that a clone knows of: number, outcome and version."""
    return [(run["run"], run["outcome"], run["version"]) for run in json.loads(towpath(folder, "runs", "--json"))]


def test_a_job_leaves_its_evidence_and_another_machine_releases_it(clones):
    machine, job = clones
    towpath(job, "data", "checkout")
    assert "version 1" in towpath(job, "run")
    package = json.loads(towpath(job, "show", "1", "--json"))["digest"]
    shutil.rmtree(job)
    assert "registered" in towpath(machine, "runs")
    go_live(machine)
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


@pytest.mark.parts
def test_two_clones_and_a_job_work_together_through_one_bucket(clones_with_a_bucket, tmp_path):
    """All that they share is Git and the bucket: bytes, runs, and what those leave as evidence."""
    one, two = clones_with_a_bucket
    towpath(one, "run")
    go_live(one)
    assert not (two / "rows.csv").exists()
    towpath(two, "data", "pull")
    towpath(two, "data", "checkout")
    assert (two / "rows.csv").read_bytes() == (one / "rows.csv").read_bytes()
    assert runs(two) == runs(one) == [(1, "registered", 1)]

    more_rows(two, seed=1)
    towpath(two, "run")
    assert "against the champion's" in towpath(two, "show", "2"), "what one's loop released is what the other's challenger was held against"
    git(one, "pull", "-q", str(two), "HEAD")
    assert runs(one) == [(1, "registered", 1), (2, "registered", 2)]

    more_rows(one, seed=2)
    job = tmp_path / "job"
    git(tmp_path, "clone", "-q", str(one), "job")
    towpath(job, "data", "checkout")
    assert "version 3" in towpath(job, "run")
    evidence = json.loads(towpath(job, "show", "3", "--json"))
    shutil.rmtree(job)
    for folder in (one, two):
        assert runs(folder) == [(1, "registered", 1), (2, "registered", 2), (3, "registered", 3)]
        assert json.loads(towpath(folder, "show", "3", "--json")) == evidence
        towpath(folder, "verify", "ledger")
        towpath(folder, "verify", "store", "--remote")
        towpath(folder, "verify", "data")


def more_rows(folder, seed):
    """More data is added, pushed and committed; whoever has them not yet takes the committed ones first."""
    towpath(folder, "data", "checkout")
    pl.concat([pl.read_csv(folder / "rows.csv"), rows(200, seed)]).write_csv(folder / "rows.csv")
    towpath(folder, "data", "add")
    towpath(folder, "data", "push")
    git(folder, "commit", "-qam", "more rows")
