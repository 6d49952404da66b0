"""Ways in which a month of flights has gone wrong elsewhere, for the drill of a backtest."""

from __future__ import annotations

import sys

import polars as pl

SEED = 42


def kilometres(flights: pl.DataFrame) -> pl.DataFrame:
    """United tells distances in kilometres, and the hour has turned to text."""
    united = pl.col("carrier") == "UA"
    distance = pl.when(united).then((pl.col("distance") * 1.609344).round()).otherwise(pl.col("distance"))
    return flights.with_columns(distance.cast(pl.Int64).alias("distance"), pl.col("hour").cast(pl.String))


def shuffled(flights: pl.DataFrame) -> pl.DataFrame:
    """The labels of LaGuardia belong to other flights of LaGuardia: each row is sound, and what it teaches is not."""
    here = pl.col("origin") == "LGA"
    mixed = pl.col("late").filter(here).shuffle(seed=SEED)
    places = flights.with_row_index("_row")
    wrong = places.filter(here).select("_row", flights.filter(here).select(mixed).to_series().alias("_late"))
    joined = places.join(wrong, on="_row", how="left", maintain_order="left")
    late = pl.when(here).then(pl.col("_late")).otherwise(pl.col("late")).alias("late")
    return joined.with_columns(late).drop("_row", "_late")


if __name__ == "__main__":  # python -m project.planted FILE: the file is told in kilometres from now on
    kilometres(pl.read_parquet(sys.argv[1])).write_parquet(sys.argv[1])
