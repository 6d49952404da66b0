"""One model trained by two workers on two nodes; collected by test_executors_ray.py only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from towpath.store.local import LocalStore

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(300)]
CODE = """
import polars as pl
import ray.train
import xgboost


def rows():
    return pl.DataFrame({{"x": [n % 37 / 37 for n in range(400)], "late": [int(n % 37 > 18) for n in range(400)]}})


def trained(rows: pl.DataFrame, *, rounds: int = 3):
    context = ray.train.get_context()
    rank, count = context.get_world_rank(), context.get_world_size()
    print("rank", rank, "of", count, flush=True)
    {more}
    mine = rows[rank::count]
    data = xgboost.DMatrix(mine.select("x").to_numpy(), mine["late"].to_numpy())
    booster = xgboost.train({{"objective": "binary:logistic", "base_score": 0.5, "max_depth": 2}}, data, rounds)
    return booster.get_dump(with_stats=True)
"""


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": 80_000_000})
    for _ in range(2):
        cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def home(tmp_path):
    declared(tmp_path, "ray")
    (tmp_path / "pipeline.py").write_text(CODE.format(more="pass"))
    (tmp_path / ".gitignore").write_text(".towpath\n")
    for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "start"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def declared(home: Path, executor: str, workers: int = 2, **more: str) -> None:
    steps = {"trained": {"workers": workers, **more}}
    (home / "towpath.yaml").write_text(json.dumps({"name": "t", "pipeline": "pipeline.py", "executor": executor, "steps": steps}))


def run(home: Path, cluster: Cluster) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "RAY_ADDRESS": cluster.address}
    return subprocess.run([sys.executable, "-m", "towpath", "run"], cwd=home, env=environ, capture_output=True, text=True, check=False)


def test_two_workers_train_one_model_on_all_rows(home, cluster):
    done = run(home, cluster)
    assert done.returncode == 0, done.stdout + done.stderr
    store = LocalStore(home / ".towpath/store")
    (made,) = (one for one in store.executions() if one.step == "trained")
    trees = json.loads(store.get(made.output))
    assert len(trees) == 3
    assert "cover=100" in trees[0]  # a quarter of 400 rows: each worker had 200
    assert "rank 0 of 2" in (home / ".towpath/logs/run-1/trained.log").read_text()
    again = run(home, cluster)
    assert "2 steps, 2 of them reused" in again.stdout


def test_a_worker_that_fails_ends_the_others_and_is_told(home, cluster):
    (home / "pipeline.py").write_text(CODE.format(more="assert rank == 0, 'rank 1 has no rows'"))
    done = run(home, cluster)
    assert done.returncode == 1
    assert "step 'trained' raised AssertionError: rank 1 has no rows" in done.stdout
    assert "Traceback" not in done.stdout


def test_without_a_cluster_it_is_refused(home, cluster):
    declared(home, "local")
    done = run(home, cluster)
    assert done.returncode == 1
    assert "asks for workers, which a cluster has" in done.stdout


def test_more_workers_than_there_is_room_for_are_refused_before_anything_is_executed(home, cluster):
    declared(home, "ray", workers=3)
    done = run(home, cluster)
    assert done.returncode == 1
    assert "step 'trained' asks for workers: 3, each with cpus: 1, and the cluster has room for 2" in done.stdout
    assert not [*LocalStore(home / ".towpath/store").executions()]


def test_workers_that_take_too_long_are_ended_and_leave_their_room(home, cluster):
    declared(home, "ray", timeout="8s")
    (home / "pipeline.py").write_text(CODE.format(more="import time; time.sleep(500)"))
    done = run(home, cluster)
    assert done.returncode == 1
    assert "step 'trained' took longer than its timeout of 8 s and was ended" in done.stdout
    (home / "pipeline.py").write_text(CODE.format(more="pass"))
    declared(home, "ray", timeout="60s")
    assert run(home, cluster).returncode == 0


TORCH = """
import ray.train
import torch


def trained():
    context = ray.train.get_context()
    rank, count = context.get_world_rank(), context.get_world_size()
    rows = torch.ones(400, 1)[rank::count]
    seen = torch.tensor([len(rows)])
    torch.distributed.all_reduce(seen)
    model = ray.train.torch.prepare_model(torch.nn.Linear(1, 1))
    model(rows).sum().backward()
    return [count, int(seen), type(model).__name__]
"""


def test_two_workers_train_one_model_of_torch(home, cluster):
    if not find_spec("torch"):
        pytest.skip("pip install torch")
    (home / "pipeline.py").write_text(TORCH)
    done = run(home, cluster)
    assert done.returncode == 0, done.stdout + done.stderr
    store = LocalStore(home / ".towpath/store")
    (made,) = (one for one in store.executions() if one.step == "trained")
    assert json.loads(store.get(made.output)) == [2, 400, "DistributedDataParallel"]
