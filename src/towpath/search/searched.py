"""What is kept of a search when it is over."""

from __future__ import annotations

import msgspec

from towpath.evaluation.names import Direction
from towpath.project_fields import Scalar
from towpath.project_search import Dimension
from towpath.search.leaderboard import Standing
from towpath.search.trials import Tried


class Searched(msgspec.Struct, frozen=True, kw_only=True):
    """A search: the ``parameters`` that it found, their ``value`` of the ``metric``, and every trial.

    ``space``: of what was found. ``standings``: of a portfolio, the best first, and who was left out why.
    """

    parameters: dict[str, Scalar]
    metric: str
    better: Direction
    value: float
    seconds: float
    space: dict[str, Dimension]
    trials: tuple[Tried, ...]
    standings: tuple[Standing, ...] = ()
    left_out: dict[str, str] = {}
