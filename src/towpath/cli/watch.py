"""What one watches: `drift`, `monitor`; and what one sends: `labels`, `request`."""

from __future__ import annotations

import shlex
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import polars as pl
import typer

from towpath import quantities, wiring
from towpath.cli import shared
from towpath.cli.named import default_version
from towpath.data.read import Unreadable, form_of, read_file
from towpath.errors import Refused, Unavailable, UsageError
from towpath.evaluation.metrics import measure
from towpath.evaluation.predictions import predictions
from towpath.formats.package import Package, unpack
from towpath.journal.commit import commit
from towpath.journal.join import first_of_each, matured
from towpath.monitor import drift as drifts
from towpath.monitor import performance, rounds
from towpath.monitor import profile as profiles
from towpath.project import Project
from towpath.registry.versions import Candidate
from towpath.release.controller import PRODUCTION
from towpath.report import watch as views
from towpath.report.watch import ColumnRow, Drifted, Figure, Monitored
from towpath.serving import wire
from towpath.state import State
from towpath.world import World

app = shared.new_app()

AT_ONCE = 5_000  # labels a request: far below the largest body that a server takes
TIMEOUT_S = 30.0
NOTHING_SERVES = "nothing serves production yet: `towpath run` makes a version, `towpath up` serves it"
NO_ANSWERS = "version {} has answered no request yet: `towpath request` prints one to try"

Url = Annotated[str | None, typer.Option(metavar="URL", help="the server's; the one that `towpath up` started, when left out")]


@app.command()
def drift(
    context: typer.Context,
    top: Annotated[int, typer.Option(min=1, help="how many columns")] = 10,
    last: Annotated[str | None, typer.Option(metavar="DURATION", help="of the answers, such as 7d; all, when left out")] = None,
) -> None:
    """Which columns of the requests look otherwise than in training, the one that moved most first; and the findings of drift."""
    world = wiring.world(shared.project(context))
    view = _drifted(world, world.state(), None if last is None else quantities.duration(last))
    shared.answer(context, view, views.drift_in_words(view, top))


def _drifted(world: World, state: State, last: timedelta | None) -> Drifted:
    champion = state.live.champion(PRODUCTION)
    found = views.findings(state.findings.made, state.findings.times, champion, "drift")
    profile = state.registry.version(champion).candidate.profile if champion else None
    if champion is None or profile is None:
        trouble = NOTHING_SERVES if champion is None else f"version {champion} has no profile of its training rows"
        return Drifted(version=champion, start=None, rows=0, columns=(), findings=found, trouble=trouble)
    known, rows = profiles.decode(world.store.get(profile)), _answers(world, champion)
    if rows.is_empty():
        return Drifted(version=champion, start=None, rows=0, columns=(), findings=found, trouble=NO_ANSWERS.format(champion))
    if last is not None:
        rows = rows.filter(pl.col("at") >= pl.col("at").max() - last)
    counts = profiles.count(known, rounds.raw_rows(rows, known), scores=rows["score"] if rows["score"].null_count() == 0 else None)
    windows = rows["at"].dt.truncate(known.window).n_unique()
    columns = tuple(
        ColumnRow(column=one.column, effect=one.effect, share=one.share, chance=one.chance, rows=int(one.rows), because=one.because)
        for one in drifts.drift(known, counts, windows=windows)
    )
    return Drifted(version=champion, start=rows.select(pl.col("at").min()).item(), rows=rows.height, columns=columns, findings=found)


def _answers(world: World, version: int) -> pl.DataFrame:
    """What a version answered in production, from the journal; what lies in the spool goes there first."""
    commit(world.spool, world.journal)
    rows = first_of_each(world.journal.predictions().frame)
    return rows.filter((pl.col("environment") == PRODUCTION) & (pl.col("role") == "answer") & (pl.col("answered_by") == version))


@app.command()
def monitor(context: typer.Context) -> None:
    """How right the answers of the version that serves were, now that labels are in; and everything that monitors found."""
    world = wiring.world(shared.project(context))
    view = _monitored(world, world.state())
    shared.answer(context, view, views.monitored_in_words(view))


def _monitored(world: World, state: State) -> Monitored:
    champion, label = state.live.champion(PRODUCTION), world.project.model.label
    found = views.findings(state.findings.made, state.findings.times, champion)
    if champion is None:
        return Monitored(version=None, answers=0, labelled=0, figures=(), looks=(), findings=found, trouble=NOTHING_SERVES)
    answers = _answers(world, champion)
    if answers.is_empty():
        return Monitored(version=champion, answers=0, labelled=0, figures=(), looks=(), findings=found, trouble=NO_ANSWERS.format(champion))
    version, now = state.registry.version(champion), world.clock.now()
    package = unpack(world.store, version.digest)
    due = matured(answers, world.journal.labels().frame, now, label.after, missing=label.missing)
    figures = _figures(due, package, version.candidate.metrics.get("candidate", {}))
    return Monitored(
        version=champion,
        answers=answers.height,
        labelled=due.height,
        figures=figures,
        looks=_limits(world.project, version.candidate, figures),
        findings=found,
    )


def _figures(due: pl.DataFrame, package: Package, at_gates: dict[str, float]) -> tuple[Figure, ...]:
    """The task's metrics on the rows whose labels were due; none where the rows determine none."""
    manifest = package.manifest
    rows = rounds.with_values(due, manifest.task, manifest.classes)
    if rows.is_empty():
        return ()
    scores = rows["score"].to_list()
    try:
        known = predictions(manifest.task, rows["label"].to_numpy(), scores, manifest.classes)
    except UsageError:
        return ()  # a label that the version does not know: its gates' figures say nothing of such rows
    return tuple(Figure(metric=name, value=value, at_gates=at_gates.get(name)) for name, value in measure(known).items())


def _limits(project: Project, candidate: Candidate, figures: tuple[Figure, ...]) -> tuple[str, ...]:
    """What is declared under `monitor.performance`, with the figure beside it."""
    values = {figure.metric: figure.value for figure in figures}
    at_gates, errors = candidate.metrics.get("candidate", {}), candidate.standard_errors or {}
    said = []
    for name, limit in project.monitor.performance.items():
        bound = performance.limit_value(limit, at_gates.get(name))
        of = "not known, for the gates did not measure it" if bound is None else f"{bound:.4g}"
        known_to = f" (standard error {errors[name]:.2g})" if limit.champion and name in errors else ""
        now = f"{values[name]:.4g} so far" if name in values else "not known yet"
        said.append(f"{name} {of}{known_to}, {now}; judged on whole windows by the interval")
    return tuple(said)


@app.command()
def request(context: typer.Context, url: Url = None) -> None:
    """A request with a golden row of the version that serves, ready to be pasted into a shell."""
    project = shared.project(context)
    world = wiring.world(project)
    state = world.state()
    package = unpack(world.store, state.registry.version(default_version(state)).digest)
    body, label = example(package, project.name), (package.manifest.classes or (0.0,))[-1]
    place = url or _server(project)
    words = curl(f"{place}/v2/models/{project.name}/infer", body)
    told = curl(f"{place}/labels", {"id": body["id"], "label": label})
    shared.answer(
        context, {"url": f"{place}/v2/models/{project.name}/infer", "body": body}, f"{words}\n\n# when its label is known:\n{told}"
    )


def example(package: Package, model: str) -> dict[str, Any]:
    """The first golden row as the body of a request."""
    manifest, golden = package.manifest, package.golden()
    inputs = wire.metadata(model, [], manifest.raw, manifest.classes)["inputs"]
    return {"id": "example-1", "inputs": [{**one, "shape": [1], "data": golden.columns[one["name"]][:1]} for one in inputs]}


def curl(url: str, body: dict[str, Any]) -> str:
    """A command line that posts ``body``.

    >>> curl("http://127.0.0.1:8080/labels", {"id": "a", "label": "it's"})
    'curl -s http://127.0.0.1:8080/labels -d \\'{"id":"a","label":"it\\'"\\'"\\'s"}\\''
    """
    return f"curl -s {shlex.quote(url)} -d {shlex.quote(msgspec.json.encode(body).decode())}"


@app.command()
def labels(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV or Parquet with the columns id and label, or a JSON list of {id, label}")],
    url: Url = None,
    token: Annotated[str, typer.Option(envvar="TOWPATH_TOKEN", help="of scope `labels`, where the server asks for one")] = "",
) -> None:
    """Send labels to the running server, by the id of each prediction."""
    project = shared.project(context)
    found = read_labels(file, project.model.label.column)
    place = url or _server(project)
    for start in range(0, len(found), AT_ONCE):
        post(f"{place}/labels", msgspec.json.encode(found[start : start + AT_ONCE]), token)
    value = {"labels": len(found), "url": f"{place}/labels"}
    shared.answer(context, value, f"{len(found):,} labels sent to {place}/labels; `towpath monitor` tells how right the answers were")


def read_labels(file: Path, column: str) -> list[dict[str, Any]]:
    """The labels of a file; ``column`` is taken where there is none called ``label``. Rows without a label are left out.

    Raises:
        UsageError: there is no file, it is no table, or it has no such columns.
    """
    if not file.is_file():
        raise UsageError(f"there is no file {file}", mend="name a CSV, Parquet or JSON file with `id` and `label`")
    if file.suffix.lower() == ".json":
        return [{"id": one.id, "label": one.label} for one in wire.label_request(file.read_bytes()) if one.label is not None]
    frame = _table(file)
    name = "label" if "label" in frame.columns else column
    if not {"id", name} <= set(frame.columns):
        raise UsageError(f"{file} has the columns {', '.join(frame.columns)}", mend=f"give it `id` and `label` (or `{column}`)")
    return frame.select(id=pl.col("id").cast(pl.String), label=pl.col(name)).drop_nulls().to_dicts()


def _table(file: Path) -> pl.DataFrame:
    """The table of a file, ids as the text that they are: 007 is not 7."""
    if form_of(file.name) != "csv":
        return read_file(file)
    head = read_file(file)
    if "id" not in head.columns:
        return head
    try:
        return head.with_columns(pl.read_csv(file, columns=["id"], schema_overrides={"id": pl.String}))
    except pl.exceptions.PolarsError as fault:
        raise Unreadable(str(file), str(fault).splitlines()[0]) from None


def _server(project: Project) -> str:
    """Where predictions are served: what the running worker wrote, else what is declared."""
    try:
        port = int(msgspec.json.decode((project.home / "serve-0.json").read_bytes())["port"])
    except (OSError, msgspec.DecodeError, KeyError):
        port = project.serve.port
    return f"http://127.0.0.1:{port}"


def post(url: str, body: bytes, token: str = "") -> dict[str, Any]:
    """Post JSON; the answer. Raises Unavailable when nobody answers, Refused with the server's words on any other status than 200."""
    parts = urlsplit(url)
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT_S)
    try:
        connection.request("POST", parts.path, body, headers)
        answer = connection.getresponse()
        said: dict[str, Any] = msgspec.json.decode(answer.read())
    except (OSError, HTTPException, msgspec.DecodeError) as fault:
        raise Unavailable(
            f"no server answers at {url}: {fault}", mend="start it (`towpath up`), or name it: --url http://HOST:PORT"
        ) from None
    finally:
        connection.close()
    if answer.status != 200:
        raise Refused(f"the server answered {answer.status}: {said.get('error', said)}", mend="mend the labels, or give --token")
    return said
