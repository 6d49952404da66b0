"""A run that looks for groups: the models of the portfolio compete, and the leaderboard is kept. No version comes of it."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from towpath import events as ev
from towpath.data.snapshot import Taken
from towpath.errors import UnknownName
from towpath.evaluation.names import Direction
from towpath.executors.measuring import crew
from towpath.formats.frames import canonical, requested
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.seeds import seed_of
from towpath.project_model import Clusters
from towpath.project_search import Search
from towpath.run import parameters, rows, steps
from towpath.run.bench import Bench
from towpath.run.data import values
from towpath.run.rows import Rows
from towpath.search.auto import SILHOUETTE, clusters
from towpath.search.port import Conduct
from towpath.search.retraining import Choice
from towpath.search.searched import of_board


def through(bench: Bench, taken: Mapping[str, Taken], declared: Clusters) -> tuple[ev.Outcome, str, None]:
    """The rest of such a run. Raises as ``auto.clusters`` does."""
    project = bench.project
    with steps.workshop(bench, Code(bench.folder, project.pipeline or "")) as shop:
        made = rows.made(project, taken, values(bench, taken), shop)
    frame = _left(bench, made, declared)
    bench.tell(f"looking for groups among {frame.height:,} rows by {', '.join(frame.columns)}")
    board = clusters(
        canonical(requested(frame)),
        project.search or Search(),
        Conduct(project.home / "search", crew(project, bench.environ), parameters.trials_to(bench)),
        seed=seed_of(project.name, "search", project.seed) % 2**31,
        about=f"{made.content} without {', '.join(declared.leave)}",
    )
    parameters.keep(bench, Choice("fresh", "groups are looked for"), of_board(board, SILHOUETTE, Direction.HIGHER))
    best = board.best
    return ev.Outcome.EXECUTED, f"{best.contender} came first of {len(board.standings)} with {SILHOUETTE} {best.value:.4g}", None


def _left(bench: Bench, made: Rows, declared: Clusters) -> pl.DataFrame:
    times = {dataset.time for dataset in bench.project.data.values()}
    for name in declared.leave:
        if name not in made.frame.columns:
            fault = UnknownName("column", name, made.frame.columns)
            raise bench.project.fault("clusters", "leave", what=fault.what, mend=fault.mend)
    return made.frame.drop([name for name in made.frame.columns if name in times or name in declared.leave])
