"""The trials of a search, folded from what was told of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from towpath.evaluation.names import Direction
from towpath.project_fields import Scalar

Parameters = Mapping[str, Scalar]


class State(StrEnum):
    """How a trial stands. A pruned one was given up after a fold, a failed one gave no value for a fold."""

    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


class Began(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A trial was chosen. ``at``: seconds of searching before that, those of earlier processes among them."""

    number: int
    parameters: dict[str, Scalar]
    at: float


class Valued(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The next fold of a trial has its value."""

    number: int
    value: float
    seconds: float
    at: float


class Ended(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A trial is over. ``seconds``: what a fold took that gave no value."""

    number: int
    state: State
    because: str = ""
    seconds: float = 0.0
    at: float


Told = Began | Valued | Ended


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A trial: ``values`` of its folds, in their order, and the ``seconds`` that they took."""

    number: int
    parameters: dict[str, Scalar]
    values: tuple[float, ...] = ()
    seconds: float = 0.0
    state: State = State.RUNNING
    because: str = ""

    @property
    def value(self) -> float | None:
        """The mean over all folds; None unless it is complete."""
        return sum(self.values) / len(self.values) if self.state is State.COMPLETE else None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a search came to: the best trial's parameters and value, all trials by number, and the ``seconds`` of searching."""

    parameters: dict[str, Scalar]
    value: float
    trials: tuple[Tried, ...]
    seconds: float


def apply(trials: dict[int, Tried], told: Told) -> dict[int, Tried]:
    """The trials after one more thing was told; ``trials`` itself is changed."""
    match told:
        case Began():
            trials[told.number] = Tried(number=told.number, parameters=told.parameters)
        case Valued():
            was = trials[told.number]
            trials[told.number] = replace(was, values=(*was.values, told.value), seconds=was.seconds + told.seconds)
        case Ended():
            was = trials[told.number]
            trials[told.number] = replace(was, state=told.state, because=told.because, seconds=was.seconds + told.seconds)
    return trials


def best(trials: Iterable[Tried], better: Direction) -> Tried | None:
    """The complete trial of the best value, the earliest of equals; None where none is complete."""
    sign = -1.0 if better is Direction.HIGHER else 1.0
    complete = [(sign * value, one.number, one) for one in trials if (value := one.value) is not None]
    return min(complete)[2] if complete else None
