"""Runs on a cluster from the command line, one node of which is killed; collected by test_executors_ray.py only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from towpath.testing.executors import is_alive

pytestmark = pytest.mark.filterwarnings("ignore")
PORT = 10077
CODE = """
import os
import time
from pathlib import Path

PLACE = Path({place!r})

def began(name):
    (PLACE / f"{{name}}-{{os.getpid()}}").touch()
    while not (PLACE / "go").exists():
        time.sleep(0.05)
    return name

def first():
    return began("first")

def second():
    return began("second")

def last(first, second):
    print("on a node")
    return [first, second]
"""


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": 80_000_000, "ray_client_server_port": PORT}
    )
    yield cluster
    cluster.shutdown()


@pytest.fixture
def home(tmp_path):
    made = tmp_path / "home"
    made.mkdir()
    (tmp_path / "place").mkdir()
    declared(made, "ray")
    (made / "pipeline.py").write_text(CODE.format(place=str(tmp_path / "place")))
    (made / ".gitignore").write_text(".towpath\n")
    for words in (["init", "--quiet"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "start"]):
        subprocess.run(["git", *words], cwd=made, check=True)
    return made


def declared(home: Path, executor: str, more: str = "") -> None:
    (home / "towpath.yaml").write_text(f"name: locks\npipeline: pipeline.py\nexecutor: {executor}\nsteps: {{last: {{}}}}\n{more}")


def run(home: Path, *words: str, **environ: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "towpath", "run", *words]
    return subprocess.Popen(command, cwd=home, env={**os.environ, **environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def begun(home: Path) -> dict[str, int]:
    """The processes in which a step began, by name and process."""
    return {one.name: int(one.name.partition("-")[2]) for one in (home.parent / "place").glob("*-*")}


def until(holds: Callable[[], bool], going: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert going.poll() is None, going.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


def test_without_a_cluster_it_is_told(home):
    out, err = run(home, RAY_ADDRESS="127.0.0.1:9").communicate(timeout=100)
    told = out + err
    assert "there is no Ray cluster" in told
    assert "ray status" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("remote", [False, True], ids=["a shared folder", "a remote"])
def test_a_node_is_killed_in_the_middle_and_the_run_ends_well(home, cluster, remote):
    if remote:
        (home.parent / "remote").mkdir()
        declared(home, "ray", f"remote: {home.parent / 'remote'}\n")
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=80_000_000) for _ in range(2)]
    going = run(home, "--json", RAY_ADDRESS=cluster.address)
    until(lambda: len(begun(home)) == 2, going)
    cluster.remove_node(nodes[0], allow_graceful=False)
    until(lambda: not all(map(is_alive, begun(home).values())), going)
    (home.parent / "place/go").touch()
    out, err = going.communicate(timeout=100)
    cluster.remove_node(nodes[1], allow_graceful=False)
    assert going.returncode == 0, out + err
    assert json.loads(out)["because"] == "3 steps, 0 of them reused"
    assert sorted(Counter(name.partition("-")[0] for name in begun(home)).values()) == [1, 2]
    assert (home / ".towpath/logs/run-1/last.log").read_text() == "on a node\n"


def test_through_the_client_server(home, cluster):
    node = cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    (home.parent / "place/go").touch()
    declared(home, f"ray://127.0.0.1:{PORT}")
    out, err = run(home, "--json").communicate(timeout=100)
    cluster.remove_node(node)
    assert json.loads(out)["because"] == "3 steps, 0 of them reused", out + err


EACH = """
import polars as pl

def rows():
    return pl.DataFrame({"hour": [n % 3 for n in range(9)], "km": list(range(9))})

def means(rows):
    return rows.group_by("hour").agg(pl.col("km").mean())
"""


def test_a_step_in_parts(home, cluster):
    node = cluster.add_node(num_cpus=2, object_store_memory=80_000_000)
    (home / "pipeline.py").write_text(EACH)
    (home / "towpath.yaml").write_text("name: locks\npipeline: pipeline.py\nexecutor: ray\nsteps: {means: {each: hour}}\n")
    out, err = run(home, "--json", RAY_ADDRESS=cluster.address).communicate(timeout=100)
    assert json.loads(out)["because"] == "6 steps, 0 of them reused", out + err  # rows, the split, three parts, and what gathers them
    (home / "pipeline.py").write_text(EACH.replace("list(range(9))", "[100, *range(1, 9)]"))
    out, err = run(home, "--json", RAY_ADDRESS=cluster.address).communicate(timeout=100)
    cluster.remove_node(node)
    assert json.loads(out)["because"] == "6 steps, 2 of them reused", out + err


def test_a_node_that_has_something_else_installed_refuses_a_step_that_imports_it(home, cluster, tmp_path):
    told = tmp_path / "site/barges-2.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: barges\nVersion: 2.0\n")
    (told / "RECORD").write_text("barges.py,,\n")
    (tmp_path / "site/barges.py").write_text("")
    path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    node = cluster.add_node(num_cpus=1, object_store_memory=80_000_000, env_vars={"PYTHONPATH": path})
    (home / "pipeline.py").write_text("import barges\n\n\ndef last():\n    return barges.__name__\n")
    out, err = run(home, RAY_ADDRESS=cluster.address).communicate(timeout=100)
    cluster.remove_node(node)
    assert "cannot perform step 'last': barges is 2.0 there, and absent where the run began" in out, out + err
