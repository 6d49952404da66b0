"""What the ledger says of runs and versions: `runs`, `show`, `why`, `decisions`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from towpath import kept
from towpath.cli import shared
from towpath.cli.named import default_version, metric_of, named, pipeline_of
from towpath.cli.pictures import draw
from towpath.errors import UsageError
from towpath.report import runs as run_pages
from towpath.report import versions as version_pages
from towpath.report import watch as views
from towpath.report.graph import in_words as graph_in_words
from towpath.report.graph_picture import drawn
from towpath.report.runs import RunPage
from towpath.report.versions import VersionPage

app = shared.new_app()

NO_PIPELINE = "it came to no part of the pipeline"
NO_RUNS = "no run yet: `towpath run` makes the first version"
Words = Annotated[list[str] | None, typer.Argument(metavar="VERSION | run N", help="a version's number, or `run` and a run's")]


@app.command()
def runs(
    context: typer.Context, last: Annotated[int, typer.Option("--last", "-n", min=0, help="how many, the latest; 0 for all")] = 20
) -> None:
    """Every run: its cause, its commit, how it ended and why."""
    project = shared.project(context)
    metric = metric_of(project)
    known = list(kept.state(project).runs.all.values())
    rows = [run_pages.row(run, metric) for run in (known[-last:] if last else known)]
    shared.answer(context, rows, run_pages.table(rows) if rows else NO_RUNS)


@app.command()
def show(
    context: typer.Context,
    words: Words = None,
    graph: Annotated[bool, typer.Option("--graph", help="the pipeline alone, with the state of each part")] = False,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="draw the pipeline: .png, .svg or .html")] = None,
) -> None:
    """A version (the one that serves, when none is named) or a run in full: data, pipeline, metrics, verdicts, where it served."""
    page, width = _page(context, words or []), shared.width()
    run = page.run if isinstance(page, VersionPage) else page
    if picture:
        draw(picture, lambda form: drawn(run.graph, *run_pages.headed(run), form))
    if graph:
        shared.answer(context, run.graph, graph_in_words(run.graph, width) or NO_PIPELINE)
    elif isinstance(page, VersionPage):
        shared.answer(context, page, version_pages.shown(page, width))
    else:
        shared.answer(context, page, run_pages.page_in_words(page, width))


@app.command()
def why(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="VERSION | run N | A B", help="a version, a run, or two versions")] = None,
    attribute: Annotated[bool, typer.Option("--attribute/--no-attribute", help="of two: what each layer did to each metric")] = True,
) -> None:
    """Why a version stands where it stands; of two versions: what they differ in, and which layer did what to the metrics.

    `towpath why step NAME` tells why a step was executed, or was not.
    """
    if words and "run" not in words and len(words) == 2:
        _why_two(context, words, attribute=attribute)
        return
    page = _page(context, words or [])
    explained = version_pages.explained(page) if isinstance(page, VersionPage) else run_pages.page_in_words(page, shared.width())
    shared.answer(context, page, explained)


def _why_two(context: typer.Context, words: list[str], *, attribute: bool) -> None:
    project = shared.project(context)
    state = kept.state(project)
    versions = [one.version for one in named(words, state)]
    import_module("towpath.cli.why_versions").explain(context, project, state, versions, attribute=attribute)


def _page(context: typer.Context, words: list[str]) -> VersionPage | RunPage:
    project = shared.project(context)
    state = kept.state(project)
    found = named(words or [str(default_version(state))], state)
    if len(found) > 1:
        raise UsageError(
            f"{found[0].title} and {found[1].title} are two", mend=f"`towpath compare {' '.join(words)}` shows them side by side"
        )
    ((run, version),) = found
    page = run_pages.page(run, metric_of(project), pipeline_of(run, project))
    return version_pages.page(version, page, state.registry, state.live) if version else page


@app.command()
def decisions(
    context: typer.Context, last: Annotated[int, typer.Option("--last", "-n", min=0, help="how many, the latest; 0 for all")] = 20
) -> None:
    """What started a run and what did not, with the reason: each firing and refusal of a trigger."""
    project = shared.project(context)
    known = kept.state(project).firings.decisions
    chosen = known[-last:] if last else known
    shared.answer(context, chosen, views.decisions_in_words(chosen, project.retrain))
