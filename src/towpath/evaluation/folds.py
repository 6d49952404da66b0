"""Folds: rows in several parts, each of which is set aside once while the others are trained on. As indices of rows, in order.

A row's fold hangs on what is in the row (of groups: on the group), so when the data grow, rows keep their folds but for a few near
the limits, and what was computed for a fold stays comparable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from towpath.digest import of_bytes
from towpath.errors import UnknownName, UsageError

Indices = NDArray[np.int64]
_DIGITS = 13  # hexadecimal digits of a digest that a float holds exactly


class Shuffled(msgspec.Struct, frozen=True, tag=True):
    """``count`` random folds, equal to within a row; with ``stratify``, of each of its values as well."""

    count: int
    stratify: str | None = None


class ByGroup(msgspec.Struct, frozen=True, tag=True):
    """Rows that are alike in ``column`` lie in one fold; rows without a value are one group."""

    count: int
    column: str


class Forward(msgspec.Struct, frozen=True, tag=True):
    """Each fold is trained on all rows that are earlier in ``column`` than the first of those it is measured on.

    The earliest rows, one part of ``count`` + 1, are only trained on. ``gap``: how long a label takes to be known; a row whose label was
    not known yet at the first of those times is not trained on.
    """

    count: int
    column: str
    gap: timedelta = timedelta(0)


FoldWay = Shuffled | ByGroup | Forward


@dataclass(frozen=True)
class Fold:
    """Which rows are trained on, and which are set aside: indices from 0, ascending."""

    train: Indices
    test: Indices


def folds(frame: pl.DataFrame, way: FoldWay, *, seed: int = 0) -> list[Fold]:
    """The folds of these rows. ``seed`` does not count for Forward.

    Raises:
        UsageError: there are too few rows, groups or times for so many folds, or the column cannot be used this way.

    >>> [fold.test.size for fold in folds(pl.DataFrame({"x": range(10)}), Shuffled(3))]
    [4, 3, 3]
    """
    if way.count < 2:
        raise UsageError(f"{way.count} folds leave nothing to train on", mend="make two folds or more")
    match way:
        case Shuffled():
            number = _shuffled(frame, way, seed)
        case ByGroup():
            number = _by_group(_column(frame, way.column), way, seed)
        case Forward():
            return _forward(_column(frame, way.column), way)
    return [Fold(np.flatnonzero(number != one), np.flatnonzero(number == one)) for one in range(way.count)]


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        raise UnknownName("column", name, frame.columns)
    return frame[name]


def _shuffled(frame: pl.DataFrame, way: Shuffled, seed: int) -> Indices:
    if frame.height < way.count:
        raise UsageError(f"{frame.height} rows do not fill {way.count} folds", mend="make fewer folds, or give more rows")
    places = _places(frame.select(pl.struct(pl.all()).struct.json_encode()).to_series(), seed)
    strata = np.zeros(frame.height, dtype=np.int64) if way.stratify is None else _codes(_column(frame, way.stratify))
    number = np.empty(frame.height, dtype=np.int64)
    begin = 0
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        ordered = rows[np.argsort(places[rows], kind="stable")]
        number[ordered] = _dealt(len(rows), way.count, begin)
        begin += len(rows) % way.count  # the next stratum's larger parts go where this one's were smaller
    return number


def _dealt(rows: int, count: int, begin: int) -> Indices:
    """The fold of each of so many rows in their order: blocks equal to within a row, the larger ones those from fold ``begin`` on.

    >>> _dealt(5, 3, 2).tolist()
    [0, 0, 1, 2, 2]
    """
    sizes = np.full(count, rows // count)
    sizes[(begin + np.arange(rows % count)) % count] += 1
    return np.repeat(np.arange(count), sizes)


def _by_group(column: pl.Series, way: ByGroup, seed: int) -> Indices:
    codes = _codes(column)
    _, first, sizes = np.unique(codes, return_index=True, return_counts=True)
    if len(sizes) < way.count:
        raise UsageError(
            f"{len(sizes)} groups by {way.column} do not fill {way.count} folds",
            mend="make fewer folds, or choose a column with more values",
        )
    places = _places(column.cast(pl.String).gather(first), seed)
    ordered = np.argsort(places, kind="stable")
    middles = np.cumsum(sizes[ordered]) - sizes[ordered] / 2
    fold_of = np.empty(len(sizes), dtype=np.int64)
    fold_of[ordered] = np.floor(middles / len(column) * way.count).astype(np.int64)
    if len(np.unique(fold_of)) < way.count:
        fold_of = _evened(sizes, places, way.count)
    return np.asarray(fold_of[codes])


def _evened(sizes: Indices, places: NDArray[np.float64], count: int) -> Indices:
    """Where a group is larger than a fold: the largest first, each into the fold that has the fewest rows."""
    fold_of, held = np.empty(len(sizes), dtype=np.int64), np.zeros(count, dtype=np.int64)
    for group in np.lexsort((places, -sizes)):
        fold_of[group] = held.argmin()
        held[fold_of[group]] += sizes[group]
    return fold_of


def _forward(times: pl.Series, way: Forward) -> list[Fold]:
    if nulls := times.null_count():
        raise UsageError(f"{nulls} of {len(times)} rows have no {way.column}", mend="drop them in `rows`, or fold at random")
    if not (times.dtype.is_temporal() or times.dtype.is_numeric()):
        raise UsageError(f"column {way.column!r} holds {times.dtype}, not times", mend="parse it as a date and time in `rows`")
    codes = _codes(times)
    ordered = np.sort(codes)
    begins = [ordered[len(codes) * part // (way.count + 1)] for part in range(1, way.count + 1)] if len(codes) > way.count else []
    edges = [*begins, codes.max(initial=0) + 1]
    too_few = not begins or begins[0] == 0 or any(low >= high for low, high in pairwise(edges))
    trained = [] if too_few else [np.flatnonzero((codes < low) & _known(times, codes, low, way.gap)) for low in begins]
    if too_few or any(not rows.size for rows in trained):
        raise UsageError(
            f"{len(codes)} rows at {len(np.unique(codes))} times by {way.column} do not make {way.count} folds",
            mend="make fewer folds, or take a finer time",
        )
    tested = [np.flatnonzero((codes >= low) & (codes < high)) for low, high in pairwise(edges)]
    return [Fold(train, test) for train, test in zip(trained, tested, strict=True)]


def _known(times: pl.Series, codes: Indices, begin: int, gap: timedelta) -> NDArray[np.bool_]:
    """Of which rows the label is known when the first row of a fold is measured; of numbers that are no times, all that are earlier."""
    if not gap or not times.dtype.is_temporal():
        return np.ones(len(codes), dtype=np.bool_)
    moments = times.cast(pl.Datetime("us")).to_numpy()
    return np.asarray(moments + np.timedelta64(gap) <= moments[codes == begin][0])


def _codes(column: pl.Series) -> Indices:
    """The rank of each value among the different ones, from 0; nulls are a value of their own, the first."""
    ranks = column.rank("dense").cast(pl.Int64).to_numpy() if not column.null_count() else column.rank("dense").fill_null(0).to_numpy()
    _, codes = np.unique(ranks, return_inverse=True)
    return codes.astype(np.int64)


def _places(values: Iterable[str | None], seed: int) -> NDArray[np.float64]:
    """Where each value lies between 0 and 1, as by a uniform draw of its own."""
    return np.array([int(of_bytes(f"{seed}\0{value!r}".encode())[:_DIGITS], 16) / 16**_DIGITS for value in values])
