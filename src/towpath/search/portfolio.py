"""The models that are tried where a project names none: each with a small space, and parameters that are good on most data."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

import msgspec

from towpath.errors import UnknownName
from towpath.project_fields import Scalar
from towpath.project_search import Dimension

MODEL = "model"  # the parameter of a race's trials that names the contender
TASKS = ("binary", "multiclass", "regression", "clustering")
_CLASSES, _SUPERVISED = ("binary", "multiclass"), ("binary", "multiclass", "regression")


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A model by name: for which tasks, what it is searched over, what it is tried with first, and the library that it needs."""

    name: str
    tasks: tuple[str, ...]
    space: dict[str, Dimension]
    first: dict[str, Scalar]
    library: str = "sklearn"


_TREES = {
    "trees": Dimension(int=(50, 500), log=True),
    "rate": Dimension(float=(0.02, 0.3), log=True),
    "leaves": Dimension(int=(4, 64), log=True),
    "rows_in_leaf": Dimension(int=(5, 100), log=True),
}
_FIRST: dict[str, Scalar] = {"trees": 200, "rate": 0.1, "leaves": 8, "rows_in_leaf": 20}
_XGBOOST = {**_TREES, "weight_in_leaf": Dimension(float=(0.5, 20.0), log=True)}  # it counts no rows in a leaf, but adds up what they weigh
del _XGBOOST["rows_in_leaf"]
_CLUSTERS = Dimension(int=(2, 12))

CONTENDERS = (
    Contender(name="logistic", tasks=_CLASSES, space={"strength": Dimension(float=(1e-3, 100.0), log=True)}, first={"strength": 1.0}),
    Contender(name="ridge", tasks=("regression",), space={"strength": Dimension(float=(1e-3, 1e3), log=True)}, first={"strength": 1.0}),
    Contender(name="boosting", tasks=_SUPERVISED, space=_TREES, first=_FIRST),
    Contender(name="lightgbm", tasks=_SUPERVISED, space=_TREES, first=_FIRST, library="lightgbm"),
    Contender(
        name="xgboost",
        tasks=_SUPERVISED,
        space=_XGBOOST,
        first={"trees": 200, "rate": 0.1, "leaves": 8, "weight_in_leaf": 1.0},
        library="xgboost",
    ),
    Contender(
        name="forest",
        tasks=_SUPERVISED,
        space={
            "trees": Dimension(int=(50, 300), log=True),
            "rows_in_leaf": Dimension(int=(1, 30), log=True),
            "columns": Dimension(float=(0.2, 1.0)),
        },
        first={"trees": 200, "rows_in_leaf": 3, "columns": 0.5},
    ),
    Contender(name="kmeans", tasks=("clustering",), space={"clusters": _CLUSTERS}, first={"clusters": 3}),
    Contender(
        name="batches",
        tasks=("clustering",),
        space={"clusters": _CLUSTERS, "rows_at_once": Dimension(int=(64, 1024), log=True)},
        first={"clusters": 3, "rows_at_once": 256},
    ),
    Contender(
        name="mixture",
        tasks=("clustering",),
        space={"clusters": _CLUSTERS, "shape": Dimension(choice=("full", "diag", "spherical"))},
        first={"clusters": 3, "shape": "full"},
    ),
)


class Field(msgspec.Struct, frozen=True):
    """Who takes part, and who does not, with the reason."""

    contenders: tuple[Contender, ...]
    left_out: dict[str, str]


def field_of(task: str, labels: Iterable[Scalar] = ()) -> Field:
    """The contenders for a task whose libraries are installed and that take these ``labels``, which are the different ones of the rows.

    >>> [one.name for one in field_of("clustering").contenders]
    ['kmeans', 'batches', 'mixture']
    """
    if task not in TASKS:
        raise UnknownName("task", task, TASKS)
    mine = [one for one in CONTENDERS if task in one.tasks]
    kinds = list(labels) if task in _CLASSES else []
    reasons = {one.name: reason for one in mine if (reason := _why_not(one, kinds))}
    return Field(tuple(one for one in mine if one.name not in reasons), reasons)


def _why_not(contender: Contender, labels: list[Scalar]) -> str:
    if find_spec(contender.library) is None:
        return f"{contender.library} is not installed: pip install 'towpath[{contender.library}]'"
    if contender.library == "xgboost" and labels and sorted(map(repr, labels)) not in (_codes(labels), ["False", "True"]):
        return "its labels are whole numbers from 0 without a gap: let `rows` number them"
    return ""


def _codes(labels: list[Scalar]) -> list[str]:
    return sorted(map(str, range(len(labels))))
