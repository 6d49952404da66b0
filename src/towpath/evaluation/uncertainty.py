"""How far a figure is from the truth: the standard error of a metric, of rows that may hang together by their time.

Rows of one day hang together (weather, a holiday), so a metric of two weeks is less certain than its rows alone suggest.
Where there are enough days, the metric is measured without each of them in turn, and how far that moves it tells by how much
it would have moved with other days.

Source: the delete-one-block jackknife, B. Efron and C. Stein, "The jackknife estimate of variance", Annals of Statistics 9
(1981) 586-596.
"""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from towpath.errors import UsageError
from towpath.evaluation.compare import interval
from towpath.evaluation.metrics import Array, Metric, metric
from towpath.evaluation.names import names
from towpath.evaluation.predictions import Predictions

LEAST_BLOCKS = 7
MOST_BLOCKS = 30  # each costs one more measurement of nearly all rows
_ONE_DEVIATION = float(ndtr(1) - ndtr(-1))

Numbers = NDArray[np.int64]


def blocks(windows: Numbers) -> Numbers:
    """The block of each row, from 0: its window of time; where there are more than 30, neighbouring windows share one.

    >>> blocks(np.array([15, 15, 20, 16])).tolist()
    [0, 0, 2, 1]
    """
    known, places = np.unique(windows, return_inverse=True)
    return np.asarray(places * min(len(known), MOST_BLOCKS) // max(len(known), 1), dtype=np.int64)


def jackknife(measured: Metric, label: Array, score: Array, block: Numbers) -> float:
    """Standard error of a metric by how far it moves without each block; NaN for fewer than 7 blocks, which tell too little.

    Raises:
        UsageError: without one of the blocks the rows do not determine the metric.
    """
    known = np.unique(block)
    if len(known) < LEAST_BLOCKS:
        return math.nan
    without = np.array([measured.value(label[block != one], score[block != one]) for one in known])
    return math.sqrt((len(known) - 1) / len(known) * float(((without - without.mean()) ** 2).sum()))


def standard_error(measured: Metric, label: Array, score: Array, windows: Numbers | None = None) -> float:
    """Standard error of a metric: the larger of the rows' and, with the ``windows`` of time that rows lie in, the blocks'.

    The rows' is the longer side of the metric's 68.3 % interval; infinite where too few rows allow none.

    Raises:
        UsageError: the rows, or those without one of the blocks, do not determine the metric.
    """
    of_rows = interval(measured, label, score, level=_ONE_DEVIATION)
    error = max(of_rows.estimate - of_rows.low, of_rows.high - of_rows.estimate)
    return error if windows is None else float(np.fmax(error, jackknife(measured, label, score, blocks(windows))))


def standard_errors(known: Predictions, windows: Numbers | None = None) -> dict[str, float]:
    """The standard error of every metric of the task, by name. What the rows do not determine is left out."""
    found = {}
    for name in names(known.task):
        with suppress(UsageError):  # as in the table of figures
            found[name] = standard_error(metric(known.task, name), known.label, known.score, windows)
    return {name: error for name, error in found.items() if math.isfinite(error)}
