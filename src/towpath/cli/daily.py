"""What one asks every day: `status` and `predict`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from towpath import holdings, wiring
from towpath.cli import shared
from towpath.cli.named import default_version
from towpath.data.growths import Growths
from towpath.data.read import read_file
from towpath.errors import Unavailable, UsageError
from towpath.formats.frames import check_frame, requested
from towpath.formats.package import Package, unpack
from towpath.formats.port import Scores
from towpath.formats.schema import check_names
from towpath.locks import Lock
from towpath.project import Project
from towpath.release import controller
from towpath.report import runs as run_pages
from towpath.report import status as views
from towpath.report.status import Around, Grown
from towpath.state import State
from towpath.triggers import unanswered
from towpath.triggers.judge import Alarm
from towpath.world import World

app = shared.new_app()


@app.command()
def status(context: typer.Context) -> None:
    """What serves where since when, what goes on, the last runs, how the data has grown, what waits, and what to do next."""
    project = shared.project(context)
    world = wiring.world(project)
    state = world.state()
    around = Around(trains=project.trained is not None, up=_up(project), growth=_growths(world, state), evidence=_evidence(world, state))
    metric = run_pages.main_metric(project.model.task, project.gates) if project.trained else ""
    view = views.status(project.name, metric, state.runs, state.registry, state.live, _open_findings(state), around)
    shared.answer(context, view, views.in_words(view))


def _up(project: Project) -> str:
    lock = Lock(project.home / "locks" / "up")
    return f"up: {lock.holder()}" if lock.path.exists() and not lock.is_free() else ""


def _evidence(world: World, state: State) -> str:
    """What the evidence says of the release that is going on."""
    if state.live.going_on(controller.PRODUCTION) is None:
        return ""
    decision = wiring.standing(world).decision
    return f"{decision.action.value}, {decision.because}" if decision else ""


def _growths(world: World, state: State) -> tuple[Grown, ...]:
    """How each dataset has grown since the last training."""
    project = world.project
    trained, accepted = state.runs.trained_on
    asks_at = next((rule.share for rule in project.retrain.when if rule.kind == "new_rows"), None)
    growths, found = Growths(project.root, world.store, holdings.index(project)), []
    for name, dataset in project.data.items():
        if name not in trained or not dataset.tells:
            continue
        try:
            grown = growths.of(name, dataset, trained[name], state.erasures.objects, accepted=accepted)
            size, unit = grown.size_new, grown.unit
            found.append(Grown(dataset=name, rows_new=grown.rows_new, share=grown.share, asks_at=asks_at, unit=unit, size_new=size))
        except (UsageError, Unavailable) as fault:
            found.append(Grown(dataset=name, rows_new=0, share=0.0, asks_at=asks_at, trouble=fault.what))
    return tuple(found)


def _open_findings(state: State) -> list[str]:
    """Findings about the champion that no run has answered."""
    champion = state.live.champion(controller.PRODUCTION)
    made = zip(state.findings.made, state.findings.times, strict=True)
    alarms = [(Alarm(finding=one.finding, subject=one.subject, because=one.because), at) for one, at in made if one.version == champion]
    return [alarm.because for alarm in unanswered(alarms, state.runs)]


@app.command()
def predict(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="rows as CSV or Parquet, with the columns of a request; others are passed over")],
    version: Annotated[int | None, typer.Option(help="the one that serves production, when left out")] = None,
    out: Annotated[Path | None, typer.Option(help="write rows and answers to a .csv, .parquet or .json file")] = None,
) -> None:
    """Score the rows of a file in this process; nothing goes into the journal."""
    project = shared.project(context)
    world = wiring.world(project)
    state = world.state()
    number = version or default_version(state)
    package = unpack(world.store, state.registry.version(number).digest)
    if not file.is_file():
        raise UsageError(f"there is no file {file}", mend="name a CSV or Parquet file with the rows to score")
    rows = read_file(file)
    answers = answered(package, rows)
    if out is not None:
        write(rows.hstack(answers.rename({name: _free(name, rows.columns) for name in answers.columns})), out)
        shared.answer(
            context, {"version": number, "rows": rows.height, "file": str(out)}, f"version {number} answered {rows.height:,} rows: {out}"
        )
    elif shared.asked(context).json:
        shared.answer(context, {"version": number, "answers": answers.to_dicts()}, "")
    else:
        sys.stdout.write(answers.write_csv())


def answered(package: Package, rows: pl.DataFrame) -> pl.DataFrame:
    """A row of answers a row: ``prediction``, and ``probability`` (of the second of two classes) or ``probability_CLASS`` of each.

    Raises:
        BadColumn: names the column that is missing, or not of the schema's type.
    """
    schema = package.manifest.raw
    check_names(schema.names, rows.columns, exactly=False)
    asked = requested(rows.select(schema.names))
    check_frame(schema, asked)
    scores = package.answerer()(asked)
    return pl.DataFrame([pl.Series("prediction", scores.labels), *_probabilities(scores)])


def _probabilities(scores: Scores) -> list[pl.Series]:
    if len(scores.classes) == 2:
        return [pl.Series("probability", scores.values[:, 1])]
    return [pl.Series(f"probability_{name}", scores.values[:, place]) for place, name in enumerate(scores.classes)]


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name


def write(frame: pl.DataFrame, file: Path) -> None:
    """Write a table in the form that the file's name says. Raises UsageError when it says none."""
    match file.suffix.lower():
        case ".csv":
            frame.write_csv(file)
        case ".parquet" | ".pq":
            frame.write_parquet(file)
        case ".json":
            frame.write_json(file)
        case _:
            raise UsageError(f"{file} is neither CSV, Parquet nor JSON by its name", mend="name it *.csv, *.parquet or *.json")
