"""What a project's data is, for a backtest: tables read through their sources, and folders of files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from towpath.data import read, walk
from towpath.data.snapshot import together
from towpath.data.sources.opening import opened
from towpath.errors import UsageError
from towpath.project import Dataset, Project

Given = pl.DataFrame | Path


def refuse_what_cannot_arrive(project: Project) -> None:
    """Raise UsageError where data cannot come month by month: it arrives as files of the project, by the dataset's path."""
    for name, dataset in project.data.items():
        if dataset.time and not dataset.is_here:
            raise UsageError(
                f"{name} has a `time` and is read from elsewhere ({dataset.source}): a backtest cannot let it arrive month by month",
                mend=f"write its rows into a file, and give that as `path` of {name} for the backtest",
            )
        if dataset.time and (project.root / dataset.path).is_dir():
            raise UsageError(
                f"{name} is the folder {dataset.path}, and a backtest must name a file for each month",
                mend=f"write `path: {dataset.path.rstrip('/')}/*.parquet`",
            )
        if not dataset.is_here and not _is_reached_from_anywhere(dataset):
            raise UsageError(
                f"{name} ({dataset.source}) lies in the project's folder, and the backtest's copy of it has no such data",
                mend="name it by an absolute path, or by a URL",
            )


def _is_reached_from_anywhere(dataset: Dataset) -> bool:
    if dataset.source == "sql":
        return (dataset.url or "").startswith("postgres") or ":////" in (dataset.url or "")
    place = dataset.delta or dataset.path
    return "://" in place or Path(place).is_absolute()


def of_dataset(project: Project, dataset: Dataset) -> Given:
    """Its table, or the folder of its files."""
    source = opened(dataset, project.root)
    files = source.look().files
    if walk.is_table(files):
        return together([(file.name, source.read(file, lambda path: read.read_file(Path(path)))[0]) for file in files])
    if not dataset.is_here:
        raise UsageError(
            f"a backtest has no folder for the files at {dataset.path or dataset.delta}", mend="keep them in the project, by `path`"
        )
    return project.root / walk.base_of(dataset.path, {file.name for file in files})
