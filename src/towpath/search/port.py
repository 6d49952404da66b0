"""What a search is asked, who proposes trials, and who measures them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from towpath.evaluation.names import Direction
from towpath.project_fields import Scalar
from towpath.project_search import Dimension, Pruner, Sampler
from towpath.search.trials import Parameters, Tried


class Trial(msgspec.Struct, frozen=True):
    """Parameters that are to be measured."""

    number: int
    parameters: dict[str, Scalar]


Objective = Callable[[Trial, int], float]  # the value of a trial on one fold, counted from 0


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """No trial begins after so many of them, or so many ``seconds`` of searching; None is no limit. One is always made."""

    trials: int | None = None
    seconds: float | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched, and how. Trials of one question may be compared with each other.

    ``about``: digest of what else a value depends on, such as rows and code.
    """

    space: dict[str, Dimension]
    better: Direction
    folds: int = 1
    sampler: Sampler = "tpe"
    pruner: Pruner = "none"
    seed: int = 0
    about: str = ""


class Study(Protocol):
    """Proposes trials by what it was told of others, and says which are not worth finishing."""

    def propose(self, number: int) -> Parameters | None:
        """The parameters of the next trial, which is under way from now on; None where there is nothing left to try."""
        ...

    def begin(self, number: int, parameters: Parameters) -> None:
        """A trial is under way that was not proposed here."""
        ...

    def prunes(self, number: int, values: Sequence[float]) -> bool:
        """Whether a trial with these values of its first folds is to be given up."""
        ...

    def end(self, tried: Tried) -> None:
        """A trial is over: one that is under way, or one of an earlier search, whose number is below 0."""
        ...


class Task(msgspec.Struct, frozen=True):
    """One fold of one trial."""

    trial: Trial
    fold: int


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a task: a finite value, or the fault in a sentence."""

    task: Task
    value: float = 0.0
    seconds: float = 0.0
    fault: str = ""


class Crew(Protocol):
    """Measures folds, some at a time."""

    @property
    def slots(self) -> int:
        """How many tasks it works on at once."""
        ...

    def submit(self, task: Task) -> None:
        """Begin a task. At most ``slots`` may be under way."""
        ...

    def wait(self) -> list[Measured]:
        """The tasks that ended since the last call; waits for one. A worker that dies is a fault of its task, never of the search."""
        ...

    def close(self) -> None:
        """End it, and with it whatever is under way."""
        ...


class Conduct(NamedTuple):
    """How a search is gone about, beside what it is asked.

    ``folder``: of the files of trials, by which a search that was killed goes on; without one nothing survives the process. ``crew``:
    who measures, given the objective; without one processes of this machine, as many as are declared. ``tell`` is given each trial
    that ends.
    """

    folder: Path | None = None
    crew: Callable[[Objective], Crew] | None = None
    tell: Callable[[Tried], None] = lambda tried: None


UNWATCHED = Conduct()  # as where nobody looks on and nothing need survive
