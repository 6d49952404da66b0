"""The ledger in a real MLflow: a server on 127.0.0.1 with its own database, no stand-ins."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from towpath import events as ev
from towpath.digest import Digest, of_bytes
from towpath.errors import Unavailable
from towpath.formats.manifest import Manifest, encode
from towpath.formats.schema import Schema
from towpath.ledger import entry
from towpath.ledger.memory import MemoryLedger
from towpath.monitor.alerts import deliver, places
from towpath.store.memory import MemoryStore
from towpath.verdict import Answer, Verdict

mlflow = pytest.importorskip("mlflow", reason="the extra is not installed; `make test-parts` installs it")
mirror = importlib.import_module("towpath.registry.mlflow")  # after the skip: it imports MLflow at its top

pytestmark = [pytest.mark.parts, pytest.mark.filterwarnings("default")]  # what MLflow warns of is MLflow's
RECIPE = Digest("c" * 64)


class Steps:
    """Each look at the clock is a minute later."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at


CLOCK = Steps()


def a_run(store: MemoryStore, number: int, version: int | None) -> list[ev.AnyEvent]:
    model = f"model of run {number}".encode()
    files = {"model.onnx": store.put(model), "features/pipeline.py": store.put(b"def features(rows): return rows\n")}
    digest = store.put(encode(Manifest(task="binary", label="late", raw=Schema(columns=()), inputs=Schema(columns=()), files=files)))
    gate = Verdict(gate="auc >= 0.6", answer=Answer.PASS if version else Answer.FAIL, because="auc 0.71")
    started = ev.RunStarted(run=number, trigger="commit", cause="commit abc", commit="abc", host="h", boot="b", pid=1)
    packaged = ev.CandidatePackaged(run=number, digest=digest, recipe=RECIPE, parameters={"trees": 200, "rate": 0.1})
    judged = ev.GatesJudged(
        run=number, digest=digest, champion=None, verdicts=(gate,), metrics={"candidate": {"auc": 0.71}, "baseline": {"auc": 0.5}}
    )
    registered = [ev.VersionRegistered(version=version, digest=digest, run=number)] if version else []
    outcome = ev.Outcome.REGISTERED if version else ev.Outcome.REJECTED
    return [started, packaged, judged, *registered, ev.RunEnded(run=number, outcome=outcome, because="auc 0.71", version=version)]


def release(version: int, champion: int | None, digest: Digest) -> ev.ReleaseStarted:
    return ev.ReleaseStarted(
        release=version, environment="production", version=version, digest=digest, champion=champion, plan={}, salt="s", because="it passed"
    )


def promoted(version: int, previous: int | None, digest: Digest) -> ev.VersionPromoted:
    return ev.VersionPromoted(
        environment="production", version=version, digest=digest, previous=previous, release=version, by="loop", because="safe"
    )


def tell(ledger: MemoryLedger, store: MemoryStore, uri: str, project: str, *events: ev.AnyEvent) -> None:
    ledger.append([entry(event, CLOCK) for event in events])
    (done,) = deliver(ledger, [mirror.Mirror(uri, project, ledger, store)], CLOCK, places(ledger.read()))
    assert done.fault is None, done.fault


def aliases(client, project: str) -> dict[str, str]:
    """Alias -> our version."""
    named = client.get_registered_model(project).aliases
    return {alias: client.get_model_version(project, str(number)).tags["towpath.version"] for alias, number in named.items()}


def test_a_run_with_its_figures_and_files_and_its_version(server, tmp_path):
    ledger, store, client = MemoryLedger(), MemoryStore(), mlflow.MlflowClient(server)
    tell(ledger, store, server, "flights", *a_run(store, 1, 1), *a_run(store, 2, None))
    experiment = client.get_experiment_by_name("flights")
    first, second = sorted(client.search_runs([experiment.experiment_id]), key=lambda run: run.data.tags["towpath.run"])
    assert first.info.status == "FINISHED"
    assert first.data.params == {"trees": "200", "rate": "0.1"}
    assert first.data.metrics == {"auc": 0.71, "baseline.auc": 0.5}
    assert (first.data.tags["towpath.commit"], second.data.tags["towpath.outcome"]) == ("abc", "rejected")
    assert "auc 0.71" in first.data.tags["towpath.gate.1"]
    files = Path(client.download_artifacts(first.info.run_id, "package", str(tmp_path)))
    assert (files / "model.onnx").read_bytes() == b"model of run 1"
    assert (files / "features/pipeline.py").exists()
    (version,) = client.search_model_versions("name = 'flights'")
    assert version.run_id == first.info.run_id
    assert version.tags["towpath.digest"] == of_bytes((files / "manifest.json").read_bytes())


def test_aliases_follow_the_ledger(server):
    ledger, store, client = MemoryLedger(), MemoryStore(), mlflow.MlflowClient(server)
    tell(ledger, store, server, "moves", *a_run(store, 1, 1), promoted(1, None, RECIPE), *a_run(store, 2, 2))
    assert aliases(client, "moves") == {"champion": "1"}
    tell(ledger, store, server, "moves", release(2, 1, RECIPE))
    assert aliases(client, "moves") == {"champion": "1", "challenger": "2"}
    tell(ledger, store, server, "moves", promoted(2, 1, RECIPE))
    assert aliases(client, "moves") == {"champion": "2"}
    back = ev.VersionRolledBack(environment="production", version=2, digest=RECIPE, to=1, release=None, by="me", because="complaints")
    tell(ledger, store, server, "moves", back)
    assert aliases(client, "moves") == {"champion": "1"}


def test_telling_everything_twice_changes_nothing(server):
    ledger, store, client = MemoryLedger(), MemoryStore(), mlflow.MlflowClient(server)
    tell(ledger, store, server, "twice", *a_run(store, 1, 1), promoted(1, None, RECIPE), *a_run(store, 2, 2), release(2, 1, RECIPE))
    (again,) = deliver(ledger, [mirror.Mirror(server, "twice", ledger, store)], CLOCK, {})
    assert (again.told, again.fault) == (4, None)
    experiment = client.get_experiment_by_name("twice")
    assert len(client.search_runs([experiment.experiment_id])) == 2
    assert len(client.search_model_versions("name = 'twice'")) == 2
    assert aliases(client, "twice") == {"champion": "1", "challenger": "2"}


def test_a_server_that_is_down_is_told_later(server):
    ledger, store = MemoryLedger(), MemoryStore()
    ledger.append([entry(event, CLOCK) for event in a_run(store, 1, 1)])
    (down,) = deliver(ledger, [mirror.Mirror("http://127.0.0.1:9", "later", ledger, store)], CLOCK, {})
    assert isinstance(down.fault, Unavailable)
    assert places(ledger.read()) == {}
    tell(ledger, store, server, "later")
    assert mlflow.MlflowClient(server).get_model_version("later", "1").tags["towpath.version"] == "1"


def test_a_folder_does_as_well_as_a_server(tmp_path):
    uri, ledger, store = f"sqlite:///{tmp_path}/mlflow.db", MemoryLedger(), MemoryStore()
    client = mlflow.MlflowClient(uri)
    client.create_experiment("local", artifact_location=str(tmp_path / "artifacts"))
    tell(ledger, store, uri, "local", *a_run(store, 1, 1), promoted(1, None, RECIPE))
    assert [one.tags["towpath.version"] for one in client.search_model_versions("name = 'local'")] == ["1"]
