"""The whole way: a project whose environment names an MLflow server, `towpath run`, `towpath turn`; then what MLflow itself says."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.loop import little
from tests.registry_mlflow.conftest import Mlflow

from towpath.events import Outcome, RunEnded

mlflow = pytest.importorskip("mlflow", reason="the extra is not installed; `make test-parts` installs it")

pytestmark = [pytest.mark.parts, pytest.mark.filterwarnings("default")]  # what MLflow warns of is MLflow's


def towpath(root: Path, uri: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command as a person would give it, in a shell that names the server."""
    environ = {**{name: value for name, value in little.ENVIRON.items() if name != "TOWPATH_HOME"}, "MLFLOW_TRACKING_URI": uri}
    command = [sys.executable, "-m", "towpath", *words, "--project", str(root)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def towed(root: Path, uri: str) -> None:
    """`towpath run`, then turns until its version serves and everyone has heard of it."""
    assert towpath(root, uri, "run").returncode == 0
    for _ in range(3):
        turned = towpath(root, uri, "turn")
        assert turned.returncode == 0, turned.stderr


def project(root: Path, name: str) -> Path:
    return little.make(root / name, towpath=little.YAML.replace("name: little", f"name: {name}"))


def mirrored(uri: str, name: str, root: Path, folder: Path) -> None:
    """MLflow's own API has the run, its parameters, metrics and model, the version and its alias, as the ledger has them."""
    client, version = mlflow.MlflowClient(uri), little.world(root).state().registry.version(1)
    [run] = client.search_runs([client.get_experiment_by_name(name).experiment_id])
    assert (run.info.status, run.data.tags["towpath.outcome"], run.data.tags["towpath.run"]) == ("FINISHED", "registered", "1")
    assert run.data.params["c"] == "1.0"
    assert run.data.metrics["auc"] == pytest.approx(version.candidate.metrics["candidate"]["auc"])
    assert run.data.tags["towpath.commit"] == little.git(root, "rev-parse", "HEAD")
    files = Path(client.download_artifacts(run.info.run_id, "package", str(folder)))
    assert (files / "model.onnx").read_bytes()[:1] == b"\x08"  # a protobuf that begins with the version of its form
    champion = client.get_model_version_by_alias(name, "champion")
    assert (champion.tags["towpath.version"], champion.tags["towpath.digest"]) == ("1", version.digest)
    assert champion.run_id == run.info.run_id


def test_a_run_and_its_promotion_are_in_mlflow(server: str, tmp_path: Path) -> None:
    root = project(tmp_path, "way")
    towed(root, server)
    mirrored(server, "way", root, tmp_path)


@pytest.mark.slow
def test_mlflow_down_changes_nothing_else_and_hears_of_it_later(stopped: Mlflow, tmp_path: Path) -> None:
    root = project(tmp_path, "down")
    began = time.monotonic()
    towed(root, stopped.url)
    took = time.monotonic() - began
    [ended] = little.events(root, RunEnded)
    assert isinstance(ended, RunEnded)
    assert (ended.outcome, little.world(root).state().live.champion("production")) == (Outcome.REGISTERED, 1)
    assert "MLflow did not take record" in (root / ".towpath" / "logs" / "outbox.log").read_text()
    assert took < 90  # a turn waits for whom it tells, and MLflow by itself would try again for minutes
    stopped.start()
    assert towpath(root, stopped.url, "turn").returncode == 0
    mirrored(stopped.url, "down", root, tmp_path)
