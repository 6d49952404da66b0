"""What the ledger says of runs and versions: `runs`, `show`, `why`, `decisions`."""

from __future__ import annotations

from typing import Annotated

import typer

from towpath import kept
from towpath.cli import shared
from towpath.errors import UnknownName, UsageError
from towpath.release import controller
from towpath.report import runs as run_pages
from towpath.report import versions as version_pages
from towpath.report import watch as views
from towpath.state import State

app = shared.new_app()

NO_RUNS = "no run yet: `towpath run` makes the first version"
Words = Annotated[list[str] | None, typer.Argument(metavar="VERSION | run N", help="a version's number, or `run` and a run's")]


@app.command()
def runs(
    context: typer.Context, last: Annotated[int, typer.Option("--last", "-n", min=0, help="how many, the latest; 0 for all")] = 20
) -> None:
    """Every run: its cause, its commit, how it ended and why."""
    project = shared.project(context)
    metric = run_pages.main_metric(project.model.task, project.gates) if project.trained else ""
    known = list(kept.state(project).runs.all.values())
    rows = [run_pages.row(run, metric) for run in (known[-last:] if last else known)]
    shared.answer(context, rows, run_pages.table(rows) if rows else NO_RUNS)


@app.command()
def show(context: typer.Context, words: Words = None) -> None:
    """A version (the one that serves, when none is named) or a run in full: parameters, metrics, verdicts, data, where it served."""
    _tell(context, words or [], "shown")


@app.command()
def why(context: typer.Context, words: Words = None) -> None:
    """Why a version stands where it stands: its cause, its gates, its staging, its release."""
    _tell(context, words or [], "explained")


def _tell(context: typer.Context, words: list[str], how: str) -> None:
    project = shared.project(context)
    state = kept.state(project)
    metric = run_pages.main_metric(project.model.task, project.gates) if project.trained else ""
    if words[:1] == ["run"]:
        number = _number(words[1:], "run")
        if number not in state.runs.all:
            raise UnknownName("run", str(number), map(str, state.runs.all))
        run = run_pages.page(state.runs.all[number], metric)
        shared.answer(context, run, run_pages.page_in_words(run))
        return
    version = state.registry.version(_number(words, "version") if words else default_version(state))
    page = version_pages.page(version, state.runs, state.registry, state.live, metric)
    shared.answer(context, page, version_pages.shown(page) if how == "shown" else version_pages.explained(page))


def _number(words: list[str], what: str) -> int:
    text = words[0].removeprefix("v") if len(words) == 1 else ""
    if not text.isdecimal():
        raise UsageError(f"{' '.join(words) or 'nothing'!r} names no {what}", mend="write its number: `3` for version 3, `run 3` for run 3")
    return int(text)


def default_version(state: State) -> int:
    """The version that serves production, else the newest. Raises UsageError when there is none."""
    number = state.live.champion(controller.PRODUCTION) or max(state.registry.versions, default=0)
    if not number:
        mend = "`towpath runs` tells why the runs made none" if state.runs.all else "`towpath run` makes the first"
        raise UsageError("there is no version yet", mend=mend)
    return number


@app.command()
def decisions(
    context: typer.Context, last: Annotated[int, typer.Option("--last", "-n", min=0, help="how many, the latest; 0 for all")] = 20
) -> None:
    """What started a run and what did not, with the reason: each firing and refusal of a trigger."""
    project = shared.project(context)
    known = kept.state(project).firings.decisions
    chosen = known[-last:] if last else known
    shared.answer(context, chosen, views.decisions_in_words(chosen, project.retrain))
