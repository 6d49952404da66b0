"""The naive model of a task: it has seen the training labels and nothing else. What cannot beat it has learned nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from towpath.errors import UsageError
from towpath.evaluation.predictions import encode, scored

_MEDIAN = ("mae", "mape")  # what these metrics' best constant is nearer to than the mean


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """``shares``: of each class in the training labels (binary: negative, positive); ``mean`` and ``median``: of the training values."""

    task: str
    shares: tuple[float, ...] = ()
    mean: float = 0.0
    median: float = 0.0

    def scores(self, rows: int, metric: str = "") -> NDArray[np.float64]:
        """What it answers to ``rows`` rows, in the shape of the task's scores; for a regression, the best constant for ``metric``."""
        if self.task == "regression":
            return np.full(rows, self.median if metric in _MEDIAN else self.mean)
        if self.task == "binary":
            return np.full(rows, self.shares[1])
        return np.tile(np.array(self.shares), (rows, 1))


def baseline(task: str, label: ArrayLike, classes: Sequence[Any] = ()) -> Baseline:
    """Learn from training labels; ``classes`` as for :func:`~towpath.evaluation.predictions.predictions`.

    >>> baseline("binary", [0, 0, 0, 1]).scores(2)
    array([0.25, 0.25])
    """
    if not np.size(label):
        raise UsageError("there is no training label to learn a baseline from", mend="give training rows")
    if task == "regression":
        values = scored(task, label)
        return Baseline(task=task, mean=float(values.mean()), median=float(np.median(values)))
    codes = encode(label, classes)
    least = 2 if task == "binary" else len(classes)
    shares = np.bincount(codes, minlength=least) / len(codes)
    return Baseline(task=task, shares=tuple(shares.tolist()))
