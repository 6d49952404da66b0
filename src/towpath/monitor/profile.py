"""A profile: what the columns looked like in training, in a few kilobytes; and counts of later rows in the same cells.

A column is cut into cells once, from the training rows. Every later window of rows is counted in those cells, and counts
are added up, so months of production cost no more memory than a day.

    number      below the training range, up to 16 bins of about equal rows (or the values themselves), above it, null
    string      the 50 most frequent values, all others, null
    boolean     false, true, null

NaN counts as null. Columns of times and of nested values are left out: a time always moves on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from towpath.errors import UsageError
from towpath.monitor.worth import worth_of_a_window

BINS = 16
CATEGORIES = 50
SCORE = "(score)"  # the name under which the model's answers are profiled, beside the columns

Indices = NDArray[np.int64]


class Logical(StrEnum):
    """What a column holds, as the monitors see it."""

    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column in training.

    Attributes:
        edges: numbers: ascending; cell 0 is ``x <= edges[0]``, which is below the range, and the last is ``x > edges[-1]``.
        categories: strings: the values that have a cell of their own, the most frequent first.
        counts: training rows in each cell; the last cell is null.
        mean, sd, low, high: numbers: of the finite values; None where there are none.
        worth: as how many independent rows one window counts at most; None where nothing limits it. See ``worth.py``.
        windows: how many windows of training rows that was found from.
    """

    type: Logical
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    worth: float | None = None
    windows: int = 0

    @property
    def cells(self) -> int:
        """How many cells, null included."""
        return {Logical.NUMBER: len(self.edges) + 2, Logical.STRING: len(self.categories) + 2, Logical.BOOLEAN: 3}[self.type]

    @property
    def rows(self) -> int:
        """Training rows."""
        return sum(self.counts)

    def cell_name(self, cell: int) -> str:
        """A cell in words, as they follow "rows with"."""
        if cell == self.cells - 1:
            return "null"
        if self.type is Logical.BOOLEAN:
            return ("false", "true")[cell]
        if self.type is Logical.STRING:
            return repr(self.categories[cell]) if cell < len(self.categories) else "a rare or new value"
        if cell == 0:
            return f"a value below {self.low:.4g}" if self.edges and self.low is not None else "a value"
        if cell == len(self.edges):
            return f"a value above {self.high:.4g}"
        low = self.low if cell == 1 and self.low is not None else self.edges[cell - 1]
        return f"a value from {low:.4g} to {self.edges[cell]:.4g}"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of the training rows, and the model's score on the holdout under ``SCORE``."""

    rows: int
    window: timedelta
    columns: dict[str, Column]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many of ``rows`` fell into each cell of each column."""

    rows: int
    columns: dict[str, tuple[int, ...]]


def profile(
    frame: pl.DataFrame,
    *,
    time: pl.Series | None = None,
    window: timedelta = timedelta(days=1),
    scores: pl.Series | None = None,
    score_time: pl.Series | None = None,
) -> Profile:
    """The profile of training rows.

    Args:
        frame: the raw rows that the model was trained on, without the label.
        time: of the rows, dates or datetimes; with it the profile knows how much windows differ among themselves.
        window: how long the windows of production will be.
        scores: the model's answers on the holdout (never on rows that it was trained on: those it knows too well).
        score_time: of the rows of ``scores``.

    Raises:
        UsageError: there is no row.
    """
    if not frame.height:
        raise UsageError("there are no training rows to profile", mend="give the rows that the model was trained on")
    numbers = None if time is None else window_numbers(time, window)
    columns = {name: _column(frame[name], numbers) for name in frame.columns if _logical(frame[name].dtype)}
    if scores is not None and len(scores) and _logical(scores.dtype):
        columns[SCORE] = _column(scores, None if score_time is None else window_numbers(score_time, window))
    return Profile(rows=frame.height, window=window, columns=columns)


def count(profile: Profile, frame: pl.DataFrame, *, scores: pl.Series | None = None) -> Counts:
    """Count rows in the profile's cells. Columns that the profile does not know are passed over; a missing one is not counted.

    >>> rows = pl.DataFrame({"km": [1.0, 2.0, 3.0]})
    >>> count(profile(rows), pl.DataFrame({"km": [0.5, 2.0, None]})).columns
    {'km': (1, 0, 1, 0, 0, 1)}
    """
    named = {name: frame[name] for name in frame.columns if name != SCORE}
    if scores is not None:
        named[SCORE] = scores
    columns = {name: tallied(column, named[name]) for name, column in profile.columns.items() if name in named}
    return Counts(rows=frame.height, columns=columns)


def training(profile: Profile) -> Counts:
    """The training rows as counts."""
    return Counts(rows=profile.rows, columns={name: column.counts for name, column in profile.columns.items()})


def merged(parts: Iterable[Counts]) -> Counts:
    """Counts of all the parts' rows together: counting the parts gives the same as counting the whole."""
    rows, columns = 0, dict[str, tuple[int, ...]]()
    for part in parts:
        rows += part.rows
        for name, counts in part.columns.items():
            columns[name] = tuple(map(int.__add__, columns[name], counts)) if name in columns else counts
    return Counts(rows=rows, columns=columns)


def encode(profile: Profile) -> bytes:
    """As bytes for the store: JSON."""
    return msgspec.json.encode(profile)


def decode(data: bytes) -> Profile:
    """From the store's bytes."""
    return msgspec.json.decode(data, type=Profile)


def window_numbers(time: pl.Series, window: timedelta) -> Indices:
    """The window of each row: window k holds the times from ``k * window`` to before ``(k + 1) * window`` since 1970, UTC; -1 for null."""
    micros = time.cast(pl.Datetime("us", time.dtype.time_zone if isinstance(time.dtype, pl.Datetime) else None)).dt.epoch("us")
    return np.asarray((micros // (window // timedelta(microseconds=1))).fill_null(-1).to_numpy(), dtype=np.int64)


def tallied(column: Column, values: pl.Series) -> tuple[int, ...]:
    """How many values fell into each cell."""
    return tuple(np.bincount(_places(column, values), minlength=column.cells).tolist())


def _logical(dtype: pl.DataType) -> Logical | None:
    if dtype.is_numeric() or dtype == pl.Null:
        return Logical.NUMBER
    if dtype == pl.Boolean:
        return Logical.BOOLEAN
    return Logical.STRING if isinstance(dtype, pl.String | pl.Categorical | pl.Enum) else None


def _column(values: pl.Series, windows: Indices | None) -> Column:
    kind = _logical(values.dtype)
    if kind is Logical.NUMBER:
        cut = _number(values)
    elif kind is Logical.STRING:
        cut = Column(type=Logical.STRING, categories=_frequent(values))
    else:
        cut = Column(type=Logical.BOOLEAN)
    places = _places(cut, values)
    counts = np.bincount(places, minlength=cut.cells)
    known, worth = (0, None) if windows is None else worth_of_a_window(places, windows, cut.cells)
    return msgspec.structs.replace(cut, counts=tuple(counts.tolist()), worth=worth, windows=known)


def _number(values: pl.Series) -> Column:
    numbers = values.cast(pl.Float64)
    finite = numbers.filter(numbers.is_finite()).sort()
    if not len(finite):
        return Column(type=Logical.NUMBER)
    ordered = finite.to_numpy()
    at = np.ceil(np.arange(1, BINS + 1) / BINS * len(ordered)).astype(int) - 1
    head = np.unique(ordered) if finite.n_unique() <= BINS else np.unique(ordered[at])
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers near the end of float64 there is no mean
        below = max(float(np.nextafter(ordered[0], -np.inf)), -float(np.finfo(np.float64).max))
        mean, sd = (value if math.isfinite(value) else None for value in (float(ordered.mean()), float(ordered.std())))
    edges = (below, *head.tolist())
    return Column(type=Logical.NUMBER, edges=edges, mean=mean, sd=sd, low=float(ordered[0]), high=float(ordered[-1]))


def _frequent(values: pl.Series) -> tuple[str, ...]:
    table = values.cast(pl.String).drop_nulls().alias("value").value_counts()
    return tuple(table.sort(["count", "value"], descending=[True, False])["value"].head(CATEGORIES).to_list())


def _places(column: Column, values: pl.Series) -> Indices:
    null = column.cells - 1
    if column.type is Logical.NUMBER:
        numbers = values.cast(pl.Float64, strict=False).to_numpy()
        return np.where(np.isnan(numbers), null, np.searchsorted(column.edges, numbers))
    if column.type is Logical.BOOLEAN:
        return np.asarray(values.cast(pl.Boolean, strict=False).cast(pl.Int64).fill_null(null).to_numpy())
    words = values.cast(pl.String, strict=False)
    numbered = words.replace_strict(list(column.categories), range(len(column.categories)), default=null - 1, return_dtype=pl.Int64)
    return np.where(words.is_null().to_numpy(), null, numbered.to_numpy())
