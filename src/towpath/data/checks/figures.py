"""Numbers of a whole column, as Polars expressions. NaN and nulls are left out of each."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from towpath.data.checks.rule import Unfit
from towpath.data.checks.table import Table


def distinct(column: str, table: Table) -> pl.Expr:
    """How many different values there are."""
    return pl.col(column).drop_nulls().n_unique().cast(pl.Float64)


def mean(column: str, table: Table) -> pl.Expr:
    """The mean; of a boolean, the share of true."""
    return _number(column, table).mean()


def quantile(column: str, share: float, table: Table) -> pl.Expr:
    """The exact quantile, between two values in proportion."""
    return _number(column, table).quantile(share, interpolation="linear")


def _number(column: str, table: Table) -> pl.Expr:
    kind = table.kind(column)
    if kind not in ("integer", "number", "boolean", "null"):
        raise Unfit(column, f"column {column} is {kind}, and numbers were declared")
    return pl.col(column).cast(pl.Float64)


def age(column: str, now: datetime, table: Table) -> pl.Expr:
    """Seconds from the newest time to ``now``, which is UTC without a zone."""
    kind = table.kind(column)
    if kind not in ("time", "null"):
        raise Unfit(column, f"column {column} is {kind}, and only times are fresh")
    return (pl.lit(now) - pl.col(column).cast(pl.Datetime("us")).max()).dt.total_microseconds() / 1e6
