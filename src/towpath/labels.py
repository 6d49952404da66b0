"""Which rows have a label by now, and what of a row is no part of a request."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from towpath.errors import UsageError
from towpath.project import Project


def labelled(rows: pl.DataFrame, project: Project, now: datetime) -> pl.DataFrame:
    """The rows that have a label by now: one that is not due yet would be a look into the future.

    Raises:
        UsageError: the label's column is not there, or no row has a label.
    """
    label = project.model.label
    if label.column not in rows.columns:
        what = f"the rows have no column {label.column!r}"
        raise project.fault("model", "label", what=what, mend=f"they have: {', '.join(rows.columns)}")
    rows = due(rows, project, now)
    value = pl.col(label.column)
    if rows.schema[label.column].is_float():
        rows = rows.with_columns(value.fill_nan(None))  # a CSV with gaps may have NaN for them
        if endless := int(rows[label.column].is_infinite().sum() or 0):
            raise UsageError(f"infinite labels in {label.column!r}: {endless}", mend="mend those rows, or leave their label empty")
    known = rows.filter(value.is_not_null()) if label.missing == "exclude" else rows.with_columns(value.fill_null(label.missing))
    if known.is_empty():
        what = f"none of the rows has a label in {label.column!r} by {now:%Y-%m-%d}"
        raise UsageError(what, mend="wait for labels, or mend `model.label`")
    return known


def due(rows: pl.DataFrame, project: Project, now: datetime) -> pl.DataFrame:
    """The rows that are old enough for their label to be known."""
    after = project.model.label.after
    time = next((name for name in times_of(project) if name in rows.columns), None)
    if not (time and after):
        return rows
    moment = pl.col(time).cast(pl.Datetime("us")) if rows.schema[time] == pl.Date else pl.col(time)
    zone = getattr(rows.schema[time], "time_zone", None)
    return rows.filter(moment <= pl.lit(now if zone else now.replace(tzinfo=None)) - after)


def times_of(project: Project) -> list[str]:
    """The columns that order and cut the rows; they are no part of a request."""
    return [dataset.time for dataset in project.data.values() if dataset.time]


def raw(rows: pl.DataFrame, project: Project) -> pl.DataFrame:
    """The columns that a request carries, and the label."""
    return rows.drop(times_of(project), strict=False)
