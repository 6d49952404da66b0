"""Spaces of parameters: what lies in one, and all that a grid over it has."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

from towpath.errors import UsageError
from towpath.project_fields import Scalar
from towpath.project_search import Dimension

Space = Mapping[str, Dimension]
_SLACK = 1e-9  # of a step: by which a sum of steps may miss the upper end


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
    if dimension.int:
        return list(range(int(low), int(high) + 1, int(dimension.step or 1)))
    if dimension.step is None and low < high:
        raise UsageError(f"between {low} and {high} there is no end of numbers", mend="give a `step`, or make it a `choice`")
    step = dimension.step or 1.0
    return [low + number * step for number in range(floor((high - low) / step + _SLACK) + 1)]
