"""A metric for each value of a column. Small slices are shown with their reason, and not judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from towpath.errors import UsageError
from towpath.evaluation.compare import Interval, interval
from towpath.evaluation.metrics import Array, Metric

LEAST = 300  # rows of a slice, under which a metric says more about chance than about the model


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The rows of one value of a column. Judged when ``interval`` is there; otherwise ``because`` says why not."""

    value: str
    rows: int
    interval: Interval | None = None
    because: str = ""


def by_value(metric: Metric, label: Array, score: Array, column: ArrayLike, *, level: float = 0.95) -> tuple[Slice, ...]:
    """One slice for each value of ``column`` (shape ``(n,)``), the largest first; nulls are a value too.

    ``level`` holds for all judged slices together (Bonferroni): each one's interval is at 1 - (1 - level) / their number.

    Raises:
        UsageError: column and labels are not of one length.
    """
    names, place, counts = np.unique(words(column), return_inverse=True, return_counts=True)
    if len(place) != len(label):
        raise UsageError(f"the column has {len(place)} rows beside {len(label)} labels", mend="give the column of the scored rows")
    each = 1 - (1 - level) / max(1, int((counts >= LEAST).sum()))
    found = []
    for number in np.argsort(-counts, kind="stable"):
        where = place == number
        found.append(_slice(metric, str(names[number]), label[where], score[where], each))
    return tuple(found)


def words(column: ArrayLike) -> NDArray[np.str_]:
    """Values as text; what is null in any of the frames' ways is ``null``."""
    return np.array([_word(value) for value in np.asarray(column).tolist()], dtype=np.str_)


def _word(value: Any) -> str:
    return "null" if value is None or value != value else str(value)


def _slice(metric: Metric, value: str, label: Array, score: Array, level: float) -> Slice:
    rows = len(label)
    if rows < LEAST:
        return Slice(value=value, rows=rows, because=f"{rows} rows are under {LEAST}")
    try:
        found = interval(metric, label, score, level=level)
    except UsageError as fault:
        return Slice(value=value, rows=rows, because=fault.what)
    return Slice(value=value, rows=rows, interval=found)
