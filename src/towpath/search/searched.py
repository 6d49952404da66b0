"""What is kept of a search when it is over."""

from __future__ import annotations

import msgspec

from towpath.evaluation.names import Direction
from towpath.project_fields import Scalar
from towpath.project_search import Dimension
from towpath.search.leaderboard import Leaderboard, Standing
from towpath.search.portfolio import CONTENDERS
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


def of_board(board: Leaderboard, metric: str, better: Direction) -> Searched:
    """The search that a portfolio's race was."""
    return Searched(
        parameters=board.best.chosen,
        metric=metric,
        better=better,
        value=board.best.value,
        seconds=sum(one.seconds for one in board.standings),
        space=next(one.space for one in CONTENDERS if one.name == board.best.contender),
        trials=board.trials,
        standings=board.standings,
        left_out=board.left_out,
    )
