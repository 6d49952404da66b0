"""The metrics' arithmetic, equal to scikit-learn's. A class is predicted where its probability is highest; of two equal ones, the first.

Each metric has a form, which says how its uncertainty is found:

    RANK     the area under the ROC curve
    MEAN     the mean of one loss a row
    RIGHT    the share of rows that are right
    ROOT     the square root of a mean loss
    SPREAD   one minus a mean loss over the labels' variance
    COUNTS   a function of the table of labels by predicted classes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import numpy as np
from numpy.typing import NDArray

from towpath.errors import UsageError
from towpath.evaluation.names import Direction, find, names
from towpath.evaluation.predictions import Predictions

Array = NDArray[Any]
Floats = NDArray[np.float64]


class Form(Enum):
    """How a metric is made of its rows."""

    RANK = auto()
    MEAN = auto()
    RIGHT = auto()
    ROOT = auto()
    SPREAD = auto()
    COUNTS = auto()


@dataclass(frozen=True)
class Metric:
    """A metric of one task.

    Attributes:
        rows: (label, score) -> shape ``(n,)``: the terms whose mean the metric is made of; None for RANK and COUNTS.
        counts: tables of shape ``(..., k, k)``, label by prediction -> values of shape ``(...)``; COUNTS only.
    """

    name: str
    task: str
    better: Direction
    form: Form
    rows: Callable[[Array, Array], Floats] | None = None
    counts: Callable[[Floats], Floats] | None = None

    def value(self, label: Array, score: Array) -> float:
        """The metric of these rows, as :func:`~towpath.evaluation.predictions.predictions` gives them.

        Raises:
            UsageError: these rows do not determine it.
        """
        if self.rows is not None:
            mean = float(self.rows(label, score).mean())
            if self.form is Form.SPREAD:
                return 1 - mean / spread(label)
            return float(np.sqrt(mean)) if self.form is Form.ROOT else mean
        if self.counts is not None:
            return float(self.counts(table(label, score)))
        return auc(label, score)


def metric(task: str, name: str) -> Metric:
    """The metric called ``name`` for ``task``.

    Raises:
        UnknownName: there is none; names the nearest.

    >>> metric("regression", "mae").value(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    1.0
    """
    found = find(name, task)
    form, rows, counts = _TABLE[name]
    return Metric(name, task, found.better, form, rows, counts)


def measure(predictions: Predictions, only: Iterable[str] = ()) -> dict[str, float]:
    """Every metric of the task, or ``only`` those, by name. What these rows do not determine is left out."""
    values = {}
    for name in tuple(only) or names(predictions.task):
        with suppress(UsageError):  # a table of figures leaves out what cannot be said; a gate on it says why
            values[name] = metric(predictions.task, name).value(predictions.label, predictions.score)
    return values


def placements(label: Array, score: Array) -> tuple[Floats, Floats]:
    """For each positive the share of negatives below it, for each negative the share of positives above it; ties count half.

    In the order of the rows. The mean of either is the area under the ROC curve. Takes O(n log n).
    """
    positive, negative = score[label == 1], score[label == 0]
    if not len(positive) or not len(negative):
        raise UsageError(
            f"auc needs rows of both classes, but of {len(label)} rows {len(positive)} are positive",
            mend="choose a holdout with rows of both",
        )
    return _below(positive, negative), 1 - _below(negative, positive)


def _below(values: Array, others: Array) -> Floats:
    ordered = np.sort(others)
    below: Floats = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / (2.0 * len(others))
    return below


def auc(label: Array, score: Array) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half."""
    return float(placements(label, score)[0].mean())


def predicted(score: Array) -> NDArray[np.int64]:
    """Codes of the predicted classes."""
    codes = score > 0.5 if score.ndim == 1 else score.argmax(axis=1)
    return np.asarray(codes, dtype=np.int64)


def classes_of(score: Array) -> int:
    """How many classes the scores are of."""
    return 2 if score.ndim == 1 else int(score.shape[1])


def table(label: Array, score: Array) -> Floats:
    """Counts of rows, label by predicted class: shape ``(k, k)``."""
    k = classes_of(score)
    return np.bincount(label * k + predicted(score), minlength=k * k).reshape(k, k).astype(np.float64)


def spread(label: Array) -> float:
    """Variance of the labels (by n), which r2 measures against."""
    variance = float(label.var())
    if variance <= 0:
        raise UsageError(f"r2 is not defined: all {len(label)} labels are {label[0]:g}", mend="choose a holdout whose labels differ")
    return variance


def _log_losses(label: Array, score: Array) -> Floats:
    tiny = np.finfo(score.dtype).eps  # as scikit-learn: a certain and wrong answer costs much, not everything
    probability = np.clip(score, tiny, 1 - tiny)
    if score.ndim == 1:
        return np.asarray(-np.log(np.where(label == 1, probability, 1 - probability)), dtype=np.float64)
    return np.asarray(-np.log(probability[np.arange(len(label)), label]), dtype=np.float64)


def _right(label: Array, score: Array) -> Floats:
    return np.asarray(label == predicted(score), dtype=np.float64)


def _squares(label: Array, score: Array) -> Floats:
    return np.asarray((label - score.astype(np.float64)) ** 2)


def _distances(label: Array, score: Array) -> Floats:
    return np.asarray(np.abs(label - score.astype(np.float64)))


def _relative(label: Array, score: Array) -> Floats:
    if zeros := int((label == 0).sum()):
        raise UsageError(f"mape is not defined: {zeros} of {len(label)} labels are 0", mend="use mae")
    return np.asarray(_distances(label, score) / np.abs(label))


def _ratio(part: Floats, whole: Floats) -> Floats:
    """0 where there is nothing to divide by, as scikit-learn has it."""
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def _precision(counts: Floats) -> Floats:
    return _ratio(counts[..., 1, 1], counts[..., :, 1].sum(axis=-1))


def _recall(counts: Floats) -> Floats:
    return _ratio(counts[..., 1, 1], counts[..., 1, :].sum(axis=-1))


def _f1s(counts: Floats) -> Floats:
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    return _ratio(2 * right, counts.sum(axis=-1) + counts.sum(axis=-2))


def _f1(counts: Floats) -> Floats:
    return np.asarray(_f1s(counts)[..., 1])


def _macro_f1(counts: Floats) -> Floats:
    there = (counts.sum(axis=-1) + counts.sum(axis=-2)) > 0  # scikit-learn leaves out classes that nothing has
    return _ratio(np.where(there, _f1s(counts), 0).sum(axis=-1), there.sum(axis=-1).astype(np.float64))


_Row = tuple[Form, Callable[[Array, Array], Floats] | None, Callable[[Floats], Floats] | None]
_TABLE: dict[str, _Row] = {
    "auc": (Form.RANK, None, None),
    "log_loss": (Form.MEAN, _log_losses, None),
    "accuracy": (Form.RIGHT, _right, None),
    "brier": (Form.MEAN, _squares, None),
    "f1": (Form.COUNTS, None, _f1),
    "precision": (Form.COUNTS, None, _precision),
    "recall": (Form.COUNTS, None, _recall),
    "macro_f1": (Form.COUNTS, None, _macro_f1),
    "rmse": (Form.ROOT, _squares, None),
    "mae": (Form.MEAN, _distances, None),
    "mape": (Form.MEAN, _relative, None),
    "r2": (Form.SPREAD, _squares, None),
}
