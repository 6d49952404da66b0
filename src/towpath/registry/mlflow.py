"""The ledger mirrored into MLflow: runs, the files of their packages, versions, and who is champion and who challenger.

MLflow shows; it decides nothing. An alias that somebody moves there changes no server, and is set right at the next move here.
Everything is looked for by its tag before it is made, so telling a record twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlflow import environment_variables
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from towpath import events as ev
from towpath.digest import Digest
from towpath.errors import Unavailable
from towpath.formats import manifest as manifests
from towpath.ledger import Ledger, Record
from towpath.pipeline.runs import Run
from towpath.registry.versions import Version
from towpath.state import State, fold
from towpath.store import Store

RUN, VERSION, DIGEST, COMMIT, OUTCOME = (f"towpath.{name}" for name in ("run", "version", "digest", "commit", "outcome"))
CHAMPION, CHALLENGER = "champion", "challenger"
ENVIRONMENT = "production"
PACKAGE = "package"  # the folder of a run's artifacts that holds the package's files
_MOVES = (ev.ReleaseStarted, ev.ReleaseAbandoned, ev.VersionPromoted, ev.VersionRolledBack)
_BROKE = (ev.Outcome.FAILED, ev.Outcome.STOPPED)
_LONGEST = 6000  # characters of a parameter that every MLflow server takes


class Mirror:
    """A target that keeps an MLflow server like the ledger; the experiment and the registered model are called as the project."""

    def __init__(self, uri: str, project: str, ledger: Ledger, store: Store) -> None:
        self._uri, self._project, self._ledger, self._store = uri, project, ledger, store
        self._state = State()
        retries = environment_variables.MLFLOW_HTTP_REQUEST_MAX_RETRIES
        if not retries.is_set():
            retries.set(0)  # the outbox tries again; MLflow's own retries would hold up a turn for minutes, for every record

    @property
    def name(self) -> str:
        return "mlflow"

    def wants(self, event: ev.AnyEvent) -> bool:
        return isinstance(event, (ev.RunEnded, ev.RunLost, *_MOVES))

    def tell(self, record: Record) -> None:
        state = self._as_of(record.position)
        try:
            client = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
            event = record.entry.event
            if isinstance(event, ev.RunEnded | ev.RunLost):
                self._run(client, state.runs.all[event.run], state)
            else:
                self._aliases(client, state)
        except (MlflowException, OSError) as fault:  # requests' own errors are OSErrors
            raise Unavailable(
                f"MLflow did not take record {record.position} of the ledger: {fault}",
                mend="nothing is lost: it is told again by the next turn; check the server and its address",
            ) from fault

    def _as_of(self, position: int) -> State:
        start = self._state if self._state.head.position <= position else State()
        records = (record for record in self._ledger.read(start.head.position) if record.position <= position)
        self._state = fold(records, start)
        return self._state

    def _run(self, client: Any, run: Run, state: State) -> None:
        there = self._found_run(client, run)
        self._describe(client, there.info.run_id, run)
        if run.candidate and self._store.has(run.candidate):
            _upload(client, there.info.run_id, package_files(self._store, run.candidate))
        if run.version in state.registry.versions:
            self._version(client, there, state.registry.versions[run.version])
        broke = run.lost or run.outcome in _BROKE
        client.set_terminated(there.info.run_id, "FAILED" if broke else "FINISHED", _millis(run.ended or run.started))

    def _found_run(self, client: Any, run: Run) -> Any:
        experiment = client.get_experiment_by_name(self._project)
        where = experiment.experiment_id if experiment else client.create_experiment(self._project)
        found = client.search_runs([where], f"tags.`{RUN}` = '{run.number}'", max_results=1)
        tags = {RUN: str(run.number), COMMIT: run.commit, "mlflow.source.git.commit": run.commit}
        return found[0] if found else client.create_run(where, _millis(run.started), tags, f"run {run.number}")

    def _describe(self, client: Any, run_id: str, run: Run) -> None:
        at = _millis(run.ended or run.started)
        metrics = [Metric(_metric(who, name), value, at, 0) for who, row in run.metrics.items() for name, value in row.items()]
        parameters = [Param(name, str(value)[:_LONGEST]) for name, value in run.parameters.items()]
        said = {f"towpath.gate.{n}": f"{gate.gate}: {gate.answer}: {gate.because}" for n, gate in enumerate(run.gates, 1)}
        about = {OUTCOME: "lost" if run.lost else str(run.outcome), "towpath.because": run.because, "towpath.cause": run.cause, **said}
        client.log_batch(run_id, metrics, parameters, [RunTag(key, value) for key, value in about.items()])

    def _version(self, client: Any, run: Any, version: Version) -> None:
        if not client.search_registered_models(f"name = '{self._project}'"):
            client.create_registered_model(self._project)
        if _number(client, self._project, version.number) is None:
            tags = {VERSION: str(version.number), DIGEST: version.digest, RUN: str(version.candidate.run)}
            source = f"{run.info.artifact_uri}/{PACKAGE}"
            client.create_model_version(self._project, source, run.info.run_id, tags, description=f"version {version.number} of Towpath")

    def _aliases(self, client: Any, state: State) -> None:
        release = state.live.going_on(ENVIRONMENT)
        wanted = {CHAMPION: state.live.champion(ENVIRONMENT), CHALLENGER: release.version if release else None}
        if not client.search_registered_models(f"name = '{self._project}'"):
            return
        there = client.get_registered_model(self._project).aliases
        for alias, version in wanted.items():
            number = None if version is None else _number(client, self._project, version)
            if number is not None:
                client.set_registered_model_alias(self._project, alias, number)
            elif alias in there:
                client.delete_registered_model_alias(self._project, alias)


def package_files(store: Store, digest: Digest) -> dict[str, Callable[[], bytes]]:
    """The files of a package by name, each read when it is called for; the manifest among them."""
    data = store.get(digest)
    named = manifests.decode(data, digest).files
    return {"manifest.json": lambda: data, **{name: _reader(store, file) for name, file in named.items()}}


def _reader(store: Store, digest: Digest) -> Callable[[], bytes]:
    return lambda: store.get(digest)


def _upload(client: Any, run_id: str, files: dict[str, Callable[[], bytes]]) -> None:
    with TemporaryDirectory() as folder:
        for name, read in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(read())
        client.log_artifacts(run_id, folder, PACKAGE)


def _number(client: Any, model: str, version: int) -> str | None:
    """MLflow's number of our version, found by its tag."""
    found = client.search_model_versions(f"name = '{model}' and tags.`{VERSION}` = '{version}'", max_results=1)
    return str(found[0].version) if found else None


def _metric(who: str, name: str) -> str:
    """The candidate's metrics under their own names; those of who it was compared with behind a dot."""
    return name if who == "candidate" else f"{who}.{name}"


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
