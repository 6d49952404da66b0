"""A search whose folds are measured on a cluster; collected by test_executors_ray.py only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import polars as pl
import pytest
import ray
from ray.cluster_utils import Cluster

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])  # of the nodes

from tests.search.hills import deadly, hill, nap, patient  # noqa: E402
from tests.search.test_search_crews import answered, tasks  # noqa: E402

from towpath.executors.ray_crew import RayCrew  # noqa: E402
from towpath.testing.executors import is_alive  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 80_000_000})
    cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def crew_of(cluster):
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    opened = []

    def open_(objective):
        opened.append(RayCrew(objective, 2))
        return opened[-1]

    yield open_
    for crew in opened:
        crew.close()
    ray.shutdown()


def test_each_task_is_answered_once_with_its_value(crew_of):
    asked = tasks(6)
    answers = answered(crew_of(hill), asked)
    assert sorted(one.task.trial.number for one in answers) == list(range(6))
    assert all(one.value == hill(one.task.trial, one.task.fold) and one.fault == "" for one in answers)


def test_a_fault_and_a_worker_that_died_are_sentences(crew_of):
    crew = crew_of(hill)
    (failed,) = answered(crew, tasks(1, x="no number"))
    assert failed.fault.startswith("fold 0: TypeError: ")
    assert [one.fault for one in answered(crew, tasks(2))] == ["", ""]
    (died,) = answered(crew_of(deadly), tasks(1, kind="bad"))
    assert died.fault.startswith("fold 0: its process in the cluster ended: WorkerCrashedError")


def test_closing_ends_what_is_under_way(crew_of):
    crew = crew_of(nap)
    crew.submit(tasks(1)[0])
    crew.close()
    crew.close()
    assert crew.wait() == []


def alive(place):
    """How many of the processes that began a fold there are."""
    return sum(is_alive(int(one.name.partition("-")[2])) for one in place.iterdir())


def until(holds):
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_node_is_killed_in_the_middle_and_its_folds_are_measured_elsewhere(crew_of, cluster, tmp_path):
    node = cluster.add_node(num_cpus=2, object_store_memory=80_000_000)
    crew = crew_of(partial(patient, place=tmp_path))
    asked = tasks(4)
    for task in asked:
        crew.submit(task)
    until(lambda: alive(tmp_path) == 4)
    begun = [one.name for one in tmp_path.iterdir()]
    cluster.remove_node(node, allow_graceful=False)
    until(lambda: alive(tmp_path) == 2)
    (tmp_path / "go").touch()
    answers = []
    while len(answers) < 4:
        answers += crew.wait()
    found = sorted((one.task.trial.number, one.value, one.fault) for one in answers)
    assert found == [(n, hill(asked[n].trial, n % 3), "") for n in range(4)]
    again = [one for one in tmp_path.iterdir() if one.name not in (*begun, "go")]
    assert len(again) == 2, "those of the node began once more"


CODE = """
import sys
from pathlib import Path

import polars as pl
from sklearn.linear_model import LogisticRegression

def fitted(train: pl.DataFrame, *, strength: float = 1.0):
    Path({place!r}, "in a task of Ray" if "ray" in sys.modules else "in a worker").touch()
    return LogisticRegression(C=strength).fit(train.drop("late").to_numpy(), train["late"].to_numpy())
"""


def test_a_run_searches_on_the_cluster(tmp_path, cluster):
    rows = pl.DataFrame({"x": [n % 37 / 37 for n in range(400)], "z": [n % 11 / 11 for n in range(400)]})
    rows.with_columns(late=(pl.col("x") > 0.5).cast(pl.Int64)).write_csv(tmp_path / "rows.csv")
    (tmp_path / "place").mkdir()
    (tmp_path / "pipeline.py").write_text(CODE.format(place=str(tmp_path / "place")))
    declared = {
        "name": "rides",
        "data": {"rows": "rows.csv"},
        "pipeline": "pipeline.py",
        "executor": "ray",
        "model": {"task": "binary", "rows": "rows", "label": "late", "train": "fitted"},
        "search": {"trials": 4, "parallel": 2, "sampler": "random", "folds": 2, "space": {"strength": {"float": [0.01, 10], "log": True}}},
    }
    (tmp_path / "towpath.yaml").write_text(json.dumps(declared))
    (tmp_path / ".gitignore").write_text(".towpath\nplace\n")
    for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "start"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "towpath", "run", "--json"],
        cwd=tmp_path,
        env={**os.environ, "RAY_ADDRESS": cluster.address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["outcome"] == "registered"
    assert sorted(one.name for one in (tmp_path / "place").iterdir()) == ["in a task of Ray", "in a worker"]  # the folds; the training
