"""Flights, as every project here has them."""

import polars as pl


def clean(flights: pl.DataFrame) -> pl.DataFrame:
    """The flights that arrived, each once, in the order of their departure."""
    return flights.drop_nulls("late").unique(["time", "carrier", "flight"]).sort("time", "carrier", "flight")


def late(flights: pl.DataFrame, *, by: str, least: int = 10) -> pl.DataFrame:
    """The share of late flights by a column, of values that have at least so many flights."""
    counted = flights.group_by(by).agg(flights=pl.len(), late=pl.col("late").mean().round(3))
    return counted.filter(pl.col("flights") >= least).sort("late", by, descending=[True, False])
