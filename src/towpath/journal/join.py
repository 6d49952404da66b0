"""The one join of predictions with labels. Evidence, monitors and reports all read the journal through it."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import polars as pl

Scalar = str | int | float | bool


def first_of_each(predictions: pl.DataFrame) -> pl.DataFrame:
    """Each id's first row per role: a client that asks again under the same id is one request."""
    return predictions.unique(subset=["id", "role"], keep="first", maintain_order=True)


def latest_labels(labels: pl.DataFrame, until: datetime) -> pl.DataFrame:
    """The latest label of each id that had arrived by ``until``; columns ``id``, ``label`` (JSON text) and ``labelled_at``."""
    known = labels.filter(pl.col("at") <= until).sort("at", "position")
    return known.unique(subset="id", keep="last", maintain_order=True).select("id", label="value", labelled_at="at")


def matured(
    predictions: pl.DataFrame,
    labels: pl.DataFrame,
    until: datetime,
    after: timedelta,
    *,
    missing: Scalar = "exclude",
    role: str = "answer",
) -> pl.DataFrame:
    """Predictions whose labels were due by ``until``, in the order they were assigned, with the label that was known then.

    Whether a row is here depends on its own time alone, never on its label having come early: rows with quick labels
    would otherwise be counted first, and they may differ.

    Args:
        predictions: rows of the journal.
        labels: rows of the journal.
        until: the project's time to judge at.
        after: how long a label takes; a row is due from ``at + after`` on.
        missing: ``"exclude"`` leaves due rows without a label out; anything else is taken as their label.
        role: ``"answer"``, or ``"shadow"`` for what a challenger said beside it.

    Returns:
        The predictions' columns, ``label`` (JSON text) and ``labelled_at`` (null where ``missing`` filled in).
    """
    due = first_of_each(predictions.filter((pl.col("role") == role) & (pl.col("at") <= until - after)).sort("at", "position"))
    joined = due.join(latest_labels(labels, until), on="id", how="left", maintain_order="left", validate="m:1")
    if missing == "exclude":
        return joined.filter(pl.col("label").is_not_null())
    return joined.with_columns(pl.col("label").fill_null(msgspec.json.encode(missing).decode()))
