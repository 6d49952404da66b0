"""The metrics by name: for which task, which way is better, and between which values they lie."""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

from towpath.errors import UnknownName

TASKS = ("binary", "multiclass", "regression")


class Direction(StrEnum):
    """Which of two values is the better one."""

    HIGHER = "higher"
    LOWER = "lower"


class MetricName(msgspec.Struct, frozen=True):
    """A metric as a person names it. Its values lie in [``low``, ``high``]."""

    name: str
    tasks: tuple[str, ...]
    better: Direction
    low: float = 0.0
    high: float = 1.0


_BINARY, _CLASSES, _VALUES = ("binary",), ("binary", "multiclass"), ("regression",)
_ALL = (
    MetricName("auc", _BINARY, Direction.HIGHER),
    MetricName("log_loss", _CLASSES, Direction.LOWER, high=math.inf),
    MetricName("accuracy", _CLASSES, Direction.HIGHER),
    MetricName("brier", _BINARY, Direction.LOWER),
    MetricName("f1", _BINARY, Direction.HIGHER),
    MetricName("precision", _BINARY, Direction.HIGHER),
    MetricName("recall", _BINARY, Direction.HIGHER),
    MetricName("macro_f1", ("multiclass",), Direction.HIGHER),
    MetricName("rmse", _VALUES, Direction.LOWER, high=math.inf),
    MetricName("mae", _VALUES, Direction.LOWER, high=math.inf),
    MetricName("mape", _VALUES, Direction.LOWER, high=math.inf),
    MetricName("r2", _VALUES, Direction.HIGHER, low=-math.inf),
)
_BY_NAME = {metric.name: metric for metric in _ALL}


def names(task: str | None = None) -> tuple[str, ...]:
    """The metrics of a task, the most telling first; without a task, all.

    >>> names("regression")
    ('rmse', 'mae', 'mape', 'r2')
    """
    if task is not None and task not in TASKS:
        raise UnknownName("task", task, TASKS)
    return tuple(metric.name for metric in _ALL if task is None or task in metric.tasks)


def find(name: str, task: str | None = None) -> MetricName:
    """The metric of that name.

    >>> find("rmse").better
    <Direction.LOWER: 'lower'>
    """
    known = names(task)
    if name not in known:
        raise UnknownName(f"metric for the task {task}" if task else "metric", name, known)
    return _BY_NAME[name]
