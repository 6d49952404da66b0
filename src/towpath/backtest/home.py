"""A backtest's own place: a clone of the repository at one commit, with data folders that fill as time passes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from towpath.backtest.arrivals import Month, by_month
from towpath.backtest.given import Given, of_dataset, refuse_what_cannot_arrive
from towpath.backtest.player import Past
from towpath.data import walk
from towpath.errors import UsageError
from towpath.labels import times_of
from towpath.pipeline import functions
from towpath.pipeline.calling import in_memory
from towpath.pipeline.inputs import no_rows
from towpath.pipeline.worktree import tree
from towpath.project import Project
from towpath.project_file import OVERRIDES, load

AUTHOR = ("-c", "user.name=towpath backtest", "-c", "user.email=backtest@localhost")


def make(project: Project, place: Path, environ: Mapping[str, str]) -> Project:
    """Clone the project's repository to ``place``; uncommitted changes become a commit of the clone alone.

    Data that has no time is copied: it was there from the beginning.
    """
    source = tree(project.root)
    top = Path(_git(project.root, "rev-parse", "--show-toplevel"))
    place.mkdir(parents=True)
    _git(place, "clone", "--quiet", "--shared", "--no-checkout", str(top), ".")
    _git(place, "checkout", "--quiet", "--detach", source.commit)
    root = place / project.root.relative_to(top.resolve())
    if source.patch:
        subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=root, input=source.patch, check=True, capture_output=True)
        _git(place, "add", "--all")
        _git(place, *AUTHOR, "commit", "--quiet", "--message", f"what was not committed on top of {source.commit[:8]}")
    for dataset in project.data.values():
        if not dataset.time and dataset.is_here:
            for file in walk.walk(project.root, dataset):
                target = root / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.path, target)
    return load(root, alone({key: value for key, value in environ.items() if key != "TOWPATH_HOME"}))


def alone(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a replay: what happens in it is no fact of the team's ledger."""
    return {**environ, **dict.fromkeys(OVERRIDES.values(), "")}


def past_of(project: Project, share: float = 1.0) -> Past:
    """Everything that the project's data says, by month.

    Args:
        share: of the rows that are replayed as requests; which ones is settled by the project's seed.

    Raises:
        UsageError: no dataset has a time, or the rows have none.
    """
    timed = {name: dataset for name, dataset in project.data.items() if dataset.time}
    if not timed:
        raise UsageError(
            "a backtest needs to know when rows came: no dataset has a `time`", mend="add `time: COLUMN` to a dataset in towpath.yaml"
        )
    refuse_what_cannot_arrive(project)
    given = {name: of_dataset(project, dataset) for name, dataset in project.data.items()}
    rows = _rows(project, given)
    time = next((name for name in times_of(project) if name in rows.columns), None)
    if time is None:
        raise UsageError(f"the rows keep none of the times {times_of(project)}", mend="let `rows` keep the column that `time:` names")
    stamp = pl.col(time).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    requests = rows.drop(times_of(project), project.model.label.column, strict=False)
    labelled = requests.with_columns(rows.select(stamp.alias("__time")).to_series(), rows[project.model.label.column].alias("__label"))
    ordered = labelled.filter(pl.col("__time").is_not_null()).sort("__time", maintain_order=True)
    if share < 1:
        ordered = ordered.sample(fraction=share, seed=project.seed).sort("__time", maintain_order=True)
    numbered = ordered.with_row_index("__id").with_columns(pl.format("r{}", pl.col("__id").cast(pl.String).str.zfill(7)).alias("__id"))
    months = {name: by_month(frame, str(dataset.time)) for name, dataset in timed.items() if isinstance(frame := given[name], pl.DataFrame)}
    return Past(months, numbered)


def _rows(project: Project, given: Mapping[str, Given]) -> pl.DataFrame:
    known = functions.load(project.root, project.pipeline) if project.pipeline else {}
    rows = in_memory(project.model.rows, known, given, project.root)
    if not isinstance(rows, pl.DataFrame):
        raise no_rows(project)
    return rows


def first_month(past: Past, wanted: str | None) -> Month:
    """The month to begin with: the one that is named, else the one after the first quarter of the past.

    Raises:
        UsageError: it is no month, or nothing lies before it.
    """
    known = sorted({month for parts in past.datasets.values() for month in parts})
    if wanted is None:
        return known[max(1, len(known) // 4)] if len(known) > 1 else known[0]
    try:
        year, month = wanted.split("-")[:2]
        first = Month(int(year), int(month))
        first.start  # noqa: B018 -- raises where it is no month
    except (ValueError, IndexError):
        raise UsageError(f"{wanted!r} is no month", mend="write it as 2013-04") from None
    if first <= known[0]:
        raise UsageError(f"nothing lies before {first}: the data begins in {known[0]}", mend=f"begin with {known[0].next} or later")
    return first


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"`git {words[0]}` failed in {folder}: {done.stderr.strip()}", mend="try the same command by hand")
    return done.stdout.strip()
