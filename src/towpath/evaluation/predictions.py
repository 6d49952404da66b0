"""Labels beside scores, checked once: what comes from here is finite, of one length and in range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from towpath.errors import UnknownName, UsageError
from towpath.evaluation.names import TASKS

Array = NDArray[Any]
_SLACK = 1e-3  # by which float32 probabilities may miss 0, 1 or their sum


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """Labels and scores of the same rows.

    Attributes:
        label: shape ``(n,)``. Classes as codes from 0 (binary: 1 is the positive class); regression: float64.
        score: binary: P(positive), shape ``(n,)``; multiclass: probabilities, ``(n, k)``; regression: values, ``(n,)``.
        classes: the class of each code; empty where labels came as codes.
    """

    task: str
    label: Array
    score: Array
    classes: tuple[Any, ...] = ()


def predictions(task: str, label: ArrayLike, score: ArrayLike, classes: Sequence[Any] = ()) -> Predictions:
    """Check and encode.

    Args:
        label: as in the data; without ``classes`` codes from 0 (or booleans).
        score: as :class:`Predictions` says; binary may also come as ``(n, 2)``.
        classes: in the order of the scores' columns; binary: (negative, positive).

    Raises:
        UsageError: a value is missing, not finite or out of range, or the shapes differ; says how many and where first.

    >>> predictions("binary", ["no", "yes"], [0.2, 0.9], ["no", "yes"]).label
    array([0, 1])
    """
    if task not in TASKS:
        raise UnknownName("task", task, TASKS)
    scores = scored(task, score)
    codes = _values(label) if task == "regression" else encode(label, classes)
    if len(codes) != len(scores):
        raise UsageError(f"{len(codes)} labels beside {len(scores)} scores", mend="score exactly the rows that have labels")
    if not len(codes):
        raise UsageError("there is no row to evaluate on", mend="choose a longer holdout under `split`")
    if task != "regression":
        _inside(codes, 2 if task == "binary" else scores.shape[1], classes)
    return Predictions(task=task, label=codes, score=scores, classes=tuple(classes))


def scored(task: str, score: ArrayLike) -> Array:
    """Scores in the task's shape; float32 stays float32."""
    scores = _numbers(score, "scores")
    if task == "binary" and scores.ndim == 2 and scores.shape[1] == 2:
        scores = scores[:, 1]
    if scores.ndim != (2 if task == "multiclass" else 1):
        shape = "(rows, classes)" if task == "multiclass" else "(rows,)"
        raise UsageError(f"scores have the shape {scores.shape}, but {task} needs {shape}", mend="give one score a row and class")
    return scores if task == "regression" else _probabilities(scores)


def encode(label: ArrayLike, classes: Sequence[Any] = ()) -> NDArray[np.int64]:
    """Class codes from 0, in the order of ``classes``."""
    values = np.asarray(label)
    if not classes:
        codes = _numbers(values, "labels")
        if np.any(codes != np.floor(codes)):
            raise UsageError(f"labels such as {codes[codes != np.floor(codes)][0]:g} are no class codes", mend="give `classes`")
        return codes.astype(np.int64)
    code = {kind: number for number, kind in enumerate(classes)}
    found = [code.get(value, -1) for value in values.tolist()]
    if -1 in found:
        row, odd = found.index(-1), found.count(-1)
        raise UsageError(
            f"{odd} of {len(found)} labels are none of the {len(code)} classes; the first is {values.tolist()[row]!r} in row {row}",
            mend=f"the model knows {', '.join(map(repr, classes[:8]))}; train it on every class, or drop those rows",
        )
    return np.array(found, dtype=np.int64)


def _values(label: ArrayLike) -> Array:
    values = _numbers(label, "labels").astype(np.float64)
    if values.ndim != 1:
        raise UsageError(f"labels have the shape {values.shape}", mend="give one label a row")
    return values


def _numbers(values: ArrayLike, what: str) -> Array:
    try:
        array = np.asarray(values)
        array = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    except (TypeError, ValueError) as fault:
        raise UsageError(f"{what} are not numbers: {fault}", mend="give numbers; for labels that are words give `classes`") from fault
    bad = ~np.isfinite(array)
    if bad.any():
        where = int(np.argwhere(bad)[0][0])
        raise UsageError(
            f"{int(bad.sum())} of {array.size} {what} are not finite numbers; the first is in row {where}",
            mend="drop rows without a label" if what == "labels" else "find out why the model answers so; `towpath predict` shows one row",
        )
    return array


def _probabilities(scores: Array) -> Array:
    if not scores.size:
        return scores
    low, high = float(scores.min()), float(scores.max())
    if low < -_SLACK or high > 1 + _SLACK:
        raise UsageError(f"scores from {low:g} to {high:g} are no probabilities", mend="let the model answer with probabilities, 0 to 1")
    if scores.ndim == 2 and (worst := float(np.abs(scores.sum(axis=1) - 1).max())) > _SLACK:
        raise UsageError(f"the classes' probabilities miss the sum 1 by up to {worst:g}", mend="let the model answer with probabilities")
    return np.clip(scores, 0, 1)


def _inside(codes: NDArray[np.int64], known: int, classes: Sequence[Any]) -> None:
    if classes and len(classes) != known:
        raise UsageError(
            f"scores are of {known} classes, but {len(classes)} are named", mend="name one class for each column of the scores"
        )
    if codes.ndim != 1 or codes.min() < 0 or codes.max() >= known:
        raise UsageError(
            f"labels of the shape {codes.shape} from {codes.min()} to {codes.max()} are no codes of {known} classes",
            mend="give `classes` in the order of the scores, or labels from 0",
        )
