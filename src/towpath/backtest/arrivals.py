"""The project's past, cut into months, arriving file by file as the replay's clock passes them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl

from towpath.errors import UsageError
from towpath.project import Dataset


class Month(msgspec.Struct, frozen=True, order=True):
    """A calendar month in UTC."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02d}"

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def next(self) -> Month:
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def end(self) -> datetime:
        """The first moment that is no longer in it."""
        return self.next.start


def month_of(moment: datetime) -> Month:
    """The month that holds ``moment``."""
    return Month(moment.year, moment.month)


def months(first: Month, last: Month) -> Iterator[Month]:
    """From ``first`` to ``last``, both included."""
    while first <= last:
        yield first
        first = first.next


def by_month(frame: pl.DataFrame, column: str) -> dict[Month, pl.DataFrame]:
    """The rows of each month, in their order; rows without a time belong to none."""
    if column not in frame.columns or not frame.schema[column].is_temporal():
        raise UsageError(f"a backtest needs {column!r} as a column of times", mend="name the column under `time:`, as a date or timestamp")
    keyed = frame.with_columns(pl.col(column).dt.strftime("%Y-%m").alias("__month")).filter(pl.col("__month").is_not_null())
    parts = keyed.partition_by("__month", as_dict=True, include_key=False, maintain_order=True)
    return dict(sorted((Month(*map(int, str(key[0]).split("-"))), part) for key, part in parts.items()))


def arrive(root: Path, dataset: Dataset, parts: dict[Month, pl.DataFrame], month: Month, frame: pl.DataFrame | None = None) -> Path:
    """Write one month where the dataset's files lie: a file of its own under a pattern, or the one file, grown.

    ``frame`` arrives in place of the month's own rows (a spoilt delivery, say).
    """
    if "*" in dataset.path:
        target = root / dataset.path.replace("**/", "").replace("*", str(month))
        grown = parts[month] if frame is None else frame
    else:
        target = root / dataset.path
        grown = pl.concat(
            [part for key, part in parts.items() if key < month] + [parts[month] if frame is None else frame], how="diagonal_relaxed"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(target.suffix + ".part")
    if target.suffix == ".csv":
        grown.write_csv(half)
    else:
        grown.write_parquet(half)
    os.replace(half, target)
    return target
