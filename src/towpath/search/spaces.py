"""Spaces of parameters: what lies in one, and all that a grid over it has."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from towpath.errors import UsageError
from towpath.project_fields import Scalar
from towpath.project_search import Dimension

Space = Mapping[str, Dimension]


def within(space: Space, parameters: Mapping[str, Any]) -> dict[str, Scalar] | None:
    """The parameters that the space is of; None where one is missing or lies outside.

    >>> within({"trees": Dimension(int=(50, 400))}, {"trees": 80, "rate": 0.1})
    {'trees': 80}
    >>> within({"trees": Dimension(int=(50, 400))}, {"trees": 20}) is None
    True
    """
    if all(name in parameters and _lies_in(one, parameters[name]) for name, one in space.items()):
        return {name: parameters[name] for name in space}
    return None


def _lies_in(dimension: Dimension, value: Any) -> bool:
    if dimension.ends is None:
        return any(type(value) is type(one) and value == one for one in dimension.choice)
    if isinstance(value, bool) or not isinstance(value, int if dimension.int else int | float):
        return False
    return dimension.ends[0] <= value <= dimension.ends[1]


def values_of(dimension: Dimension) -> list[Scalar]:
    """All values of a dimension, from the lower end or as they are named.

    Raises:
        UsageError: there is no end of them.

    >>> values_of(Dimension(float=(0, 1), step=0.25))
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    if dimension.ends is None:
        return list(dimension.choice)
    low, high = dimension.ends
    if dimension.int is None and dimension.step is None and low < high:
        raise UsageError(f"between {low} and {high} there is no end of numbers", mend="give a `step`, or make it a `choice`")
    step = dimension.step or 1
    if dimension.int:
        return list(range(int(low), int(high) + 1, int(step)))
    count = int((_exactly(high) - _exactly(low)) / _exactly(step))
    return [float(_exactly(low) + number * _exactly(step)) for number in range(count + 1)]


def last(dimension: Dimension) -> float:
    """The highest number that steps from the lower end come to.

    >>> last(Dimension(float=(0, 1), step=0.3))
    0.9
    """
    low, high = (_exactly(end) for end in dimension.ends or (0.0, 0.0))
    step = _exactly(dimension.step) if dimension.step else None
    return float(low + (high - low) // step * step if step else high)


def index(dimension: Dimension, value: Any) -> int:
    """Which one of a choice a value is; true, 1 and 1.0 are three."""
    return next(number for number, one in enumerate(dimension.choice) if type(one) is type(value) and one == value)


def _exactly(number: float) -> Decimal:
    """As it is written: in binary, three steps of 0.1 are more than 0.3."""
    return Decimal(str(number))
