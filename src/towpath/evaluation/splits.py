"""Setting rows aside: each row lands on exactly one side, the same one every time, and sides keep the order of the rows."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from towpath.digest import of_bytes
from towpath.errors import UnknownName, UsageError
from towpath.evaluation.ways import Groups, Last, Random, Way

_DIGITS = 13  # hexadecimal digits of a digest that a float holds exactly


def split(frame: pl.DataFrame, way: Way, *, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Training rows and the rows set aside, in this order.

    Raises:
        UsageError: a side would be empty, or the column cannot be used this way.

    >>> train, test = split(pl.DataFrame({"x": range(10)}), Random(0.2), seed=1)
    >>> train.height, test.height
    (8, 2)
    """
    aside = _aside(frame, way, seed)
    if not aside.any() or aside.all():
        which = "no row" if not aside.any() else f"all {frame.height} rows"
        raise UsageError(f"the holdout {_words(way)} holds {which} of {frame.height}", mend="change `split`, so that both sides have rows")
    mask = pl.Series(aside)
    return frame.filter(~mask), frame.filter(mask)


def _aside(frame: pl.DataFrame, way: Way, seed: int) -> NDArray[np.bool_]:
    if frame.is_empty():
        return np.zeros(0, dtype=bool)
    match way:
        case Last():
            return _last(_column(frame, way.column), way)
        case Random():
            stratum = None if way.stratify is None else _column(frame, way.stratify)
            return _random(frame, way.share, stratum, seed)
        case Groups():
            return _groups(_column(frame, way.column), way.share, seed)


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        raise UnknownName("column", name, frame.columns)
    return frame[name]


def _last(times: pl.Series, way: Last) -> NDArray[np.bool_]:
    if times.dtype == pl.Date:
        times = times.cast(pl.Datetime("us"))
    end = times.max() if times.dtype == pl.Datetime else None
    if nulls := times.null_count():
        raise UsageError(
            f"{nulls} of {len(times)} rows have no {way.column}, so they are neither before nor after",
            mend="drop them in `rows`, or split at random",
        )
    if not isinstance(end, date):
        raise UsageError(f"column {way.column!r} holds {times.dtype}, not times", mend="parse it as a date and time in `rows`")
    return (times > end - way.duration).to_numpy()


def _random(frame: pl.DataFrame, share: float, stratum: pl.Series | None, seed: int) -> NDArray[np.bool_]:
    """A row's place hangs on what is in it: when the data grows, old rows keep their side, but for a few near the limit.

    So a champion is not judged on rows that it was trained on. Exact in number, and in each stratum to within one row.
    """
    places = np.array([_place(row, seed) for row in frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()])
    codes = np.zeros(frame.height, dtype=np.int64) if stratum is None else stratum.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    order = np.lexsort((places, codes))
    _, sizes = np.unique(codes, return_counts=True)
    wanted = np.diff(np.floor(np.cumsum(sizes) * share + 0.5), prepend=0.0)
    chosen = np.zeros(frame.height, dtype=bool)
    for first, count in zip(np.cumsum(sizes) - sizes, wanted, strict=True):
        chosen[order[first : first + int(count)]] = True
    return chosen


def _groups(column: pl.Series, share: float, seed: int) -> NDArray[np.bool_]:
    text = column.cast(pl.String)
    place = {value: _place(value, seed) for value in text.unique()}
    ordered = sorted(place, key=lambda value: place[value])
    # Few groups may all lie on one side of the share; then the nearest one changes sides.
    chosen = [value for value in ordered if place[value] < share] or ordered[:1]
    if len(chosen) == len(ordered):
        chosen = ordered[:-1]
    return text.is_in(chosen, nulls_equal=True).to_numpy()


def _place(value: str | None, seed: int) -> float:
    """Where a value lies between 0 and 1, as by a uniform draw of its own."""
    return int(of_bytes(f"{seed}\0{value!r}".encode())[:_DIGITS], 16) / float(16**_DIGITS)


def _words(way: Way) -> str:
    match way:
        case Last():
            return f"of the last {way.duration} by {way.column}"
        case Random():
            return f"of a random {way.share:.3g}"
        case Groups():
            return f"of {way.share:.3g} of the groups by {way.column}"
