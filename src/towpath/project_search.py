"""How the parameters of a model are searched: the keys below ``search`` in ``towpath.yaml``."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Literal

from msgspec import Meta

from towpath.errors import UsageError
from towpath.project_fields import Part, Scalar

TRIALS = 30  # where neither trials nor minutes are declared
LIBRARIES = ("lightgbm", "sklearn", "xgboost")  # modules that train where no function is named

Sampler = Literal["tpe", "random", "grid", "gp", "cmaes", "qmc", "nsgaii"]
Pruner = Literal["median", "none", "hyperband", "halving", "wilcoxon"]
Way = Literal["reuse", "resume", "fresh"]
# a key that is called `int` or `float` hides the type of that name from the keys after it
_Whole = Annotated[tuple[int, ...], Meta(min_length=2, max_length=2)]
_Real = Annotated[tuple[float, ...], Meta(min_length=2, max_length=2)]
_Number = float


class Dimension(Part, frozen=True, kw_only=True):
    """Where a parameter may lie: between two whole numbers or two numbers, both included, or among the values of a ``choice``.

    ``log``: evenly over the orders of magnitude. ``step``: only so far apart, counted from the lower end.
    """

    int: _Whole | None = None
    float: _Real | None = None
    choice: tuple[Scalar, ...] = ()
    log: bool = False
    step: _Number | None = None

    def __post_init__(self) -> None:
        if sum((self.int is not None, self.float is not None, bool(self.choice))) != 1:
            raise UsageError("a parameter has one of `int`, `float` and `choice`", mend="write {int: [50, 400]} or {choice: [a, b]}")
        if self.ends:
            _check_ends(*self.ends, log=self.log, step=self.step, whole=self.int is not None)
        elif self.log or self.step is not None:
            raise UsageError("`log` and `step` are for numbers, and this is a choice", mend="leave them out, or write int or float")
        elif len({(type(value), value) for value in self.choice}) < len(self.choice):
            raise UsageError("a value of the choice stands there twice", mend="name each value once")

    @property
    def ends(self) -> tuple[_Number, _Number] | None:
        """The lower and the upper end of numbers; None of a choice."""
        ends = self.float if self.int is None else self.int
        return (ends[0], ends[1]) if ends else None


def _check_ends(low: float, high: float, *, log: bool, step: float | None, whole: bool) -> None:
    if not (isfinite(low) and isfinite(high)):
        raise UsageError(f"the ends are {low} and {high}", mend="give two finite numbers")
    if low > high:
        raise UsageError(f"it goes from {low} to {high}: nothing lies between", mend=f"write [{high}, {low}]")
    if log and low <= 0:
        raise UsageError(f"`log` has no value at {low}", mend="begin above 0, or leave `log` out")
    if step is not None and (step <= 0 or log or (whole and step != int(step))):
        what = f"a step of {step:g}" + (" does not go with `log`" if log and step > 0 else " cannot be")
        raise UsageError(what, mend="a step is above 0, whole for `int`, and not together with `log`")


class Folds(Part, frozen=True, kw_only=True):
    """The rows that are not for the gates, in ``count`` folds: a trial is trained without one and measured on it, in turn.

    Without a ``kind`` they are made as ``split.test`` is. ``by``: the column of groups, strata or times; left out, strata are those of
    the label, and times those of the dataset.
    """

    kind: Literal["random", "stratified", "group", "time"] | None = None
    count: Annotated[int, Meta(ge=2, le=100)] = 5
    by: str | None = None

    @classmethod
    def short(cls, value: Any) -> Any:
        if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
            return {"count": value}
        return {"kind": value} if isinstance(value, str) else value

    def __post_init__(self) -> None:
        if self.kind == "group" and not self.by:
            raise UsageError("folds by group need a column", mend="add `by: COLUMN`")
        if self.kind in (None, "random") and self.by:
            what = f"folds {'at random' if self.kind else 'without a kind'} do not look at {self.by!r}"
            raise UsageError(what, mend="leave `by` out, or choose the kind stratified, group or time")


class Search(Part, frozen=True, kw_only=True):
    """A search over ``space``; without one, over the models that come with Towpath.

    It ends after so many ``trials`` or ``minutes``, whichever is over first.
    """

    space: dict[str, Dimension] = {}
    metric: str | None = None
    trials: Annotated[int, Meta(ge=1)] | None = None
    minutes: Annotated[float, Meta(gt=0)] | None = None
    sampler: Sampler = "tpe"
    pruner: Pruner = "median"
    folds: Folds | None = None
    parallel: Annotated[int, Meta(ge=1, le=256)] = 1
    retrain: Way = "reuse"

    def __post_init__(self) -> None:
        endless = [name for name, one in self.space.items() if one.float is not None and one.step is None and one.float[0] < one.float[1]]
        if self.sampler == "grid" and endless:
            raise UsageError(
                f"a grid has no end over {', '.join(endless)}",
                mend="give each float a `step`, make it a `choice`, or take another sampler",
            )

    @property
    def most(self) -> int | None:
        """How many trials at most; None where only the minutes count."""
        return TRIALS if self.trials is None and self.minutes is None else self.trials
