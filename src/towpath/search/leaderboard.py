"""A race of the portfolio: all contenders once with the parameters they are known for, then the better half is searched."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from math import ceil
from pathlib import Path

import msgspec
from msgspec.structs import replace

from towpath.errors import Refused
from towpath.evaluation.names import Direction
from towpath.project_fields import Scalar
from towpath.search.crews import Alone
from towpath.search.port import UNWATCHED, Budget, Conduct, Crew, Measured, Objective, Question, Task, Trial
from towpath.search.portfolio import MODEL, Contender, Field
from towpath.search.search import search
from towpath.search.trial_log import place
from towpath.search.trials import Found, Tried


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A contender's best trial, of how many, and what they took."""

    contender: str
    parameters: dict[str, Scalar]
    value: float
    trials: int
    seconds: float

    @property
    def chosen(self) -> dict[str, Scalar]:
        """The parameters, with the contender among them."""
        return {MODEL: self.contender, **self.parameters}


class Leaderboard(msgspec.Struct, frozen=True, kw_only=True):
    """All who came in, the best first, and why the others did not; of all trials the parameter ``model`` names the contender."""

    standings: tuple[Standing, ...]
    left_out: dict[str, str] = {}
    trials: tuple[Tried, ...] = ()

    @property
    def best(self) -> Standing:
        """The first of them."""
        return self.standings[0]


def race(
    field: Field,
    question: Question,
    objective: Objective,
    budget: Budget,
    conduct: Conduct = UNWATCHED,
) -> Leaderboard:
    """The leaderboard that the budget gives.

    Args:
        question: of every contender, but for the space, which each brings with it.
        objective: its trials have the contender's name as the parameter ``model``.
        budget: for all of them together; each contender that is begun makes one trial at least.
        conduct: without a crew, this process measures.

    Raises:
        Refused: nobody came in; says why the first one did not.
    """
    folder, crew = conduct.folder, conduct.crew or Alone
    with tempfile.TemporaryDirectory() if folder is None else nullcontext(str(folder)) as where, closing(crew(objective)) as hands:
        return _Race(field, question, objective, budget, Path(where), hands, conduct.tell).run()


class _Lane:
    """The crew of a race, as one contender's search sees it: its workers hold the rows once for all."""

    def __init__(self, crew: Crew, contender: str) -> None:
        self._crew, self._contender = crew, contender
        self.slots = crew.slots
        self._tasks: dict[tuple[int, int], Task] = {}

    def submit(self, task: Task) -> None:
        self._tasks[task.trial.number, task.fold] = task
        named = Trial(task.trial.number, {**task.trial.parameters, MODEL: self._contender})
        self._crew.submit(Task(named, task.fold))

    def wait(self) -> list[Measured]:
        return [replace(one, task=self._tasks.pop((one.task.trial.number, one.task.fold))) for one in self._crew.wait()]

    def close(self) -> None:
        """The crew goes on with the next contender."""


class _Race:
    """One race on its way."""

    def __init__(
        self,
        field: Field,
        question: Question,
        objective: Objective,
        budget: Budget,
        folder: Path,
        crew: Crew,
        tell: Callable[[Tried], None],
    ) -> None:
        self._field, self._question, self._objective, self._budget = field, question, objective, budget
        self._folder, self._crew, self._tell = folder, crew, tell
        self._found: dict[str, Found] = {}
        self._left_out = dict(field.left_out)

    def run(self) -> Leaderboard:
        for contender in self._field.contenders:
            if self._found and self._is_spent():
                self._left_out[contender.name] = "the budget was spent before its first trial"
            else:
                self._search(contender, Budget(trials=1))
        if not self._found:
            because = "; ".join(f"{name}: {reason}" for name, reason in self._left_out.items()) or "there are none for this task"
            what = f"no model of the portfolio could be trained: {because}"
            raise Refused(what, mend="mend the rows, or name a function under `model.train`")
        self._search_the_better_half()
        sign = -1.0 if self._question.better is Direction.HIGHER else 1.0
        standings = sorted((self._standing(name) for name in self._found), key=lambda one: sign * one.value)
        trials = tuple(_named(one, name) for name, found in self._found.items() for one in found.trials)
        return Leaderboard(standings=tuple(standings), left_out=self._left_out, trials=trials)

    def _is_spent(self) -> bool:
        return (self._budget.trials is not None and len(self._found) >= self._budget.trials) or self._left() <= 0

    def _search_the_better_half(self) -> None:
        names = self._ranked()[: ceil(len(self._found) / 2)]
        better = [one for name in names for one in self._field.contenders if one.name == name]
        for begun, contender in enumerate(better):
            share = len(better) - begun  # who is left divides what is left
            was, trials = self._found[contender.name], self._trials_left(better[begun:])
            seconds = None if self._budget.seconds is None else was.seconds + max(0.0, self._left()) / share
            more = None if trials is None else 1 + ceil(trials / share)
            self._search(contender, Budget(trials=more, seconds=seconds))

    def _ranked(self) -> list[str]:
        """By the first trial of each alone, so that a race that goes on chooses as it would have chosen."""
        sign = -1.0 if self._question.better is Direction.HIGHER else 1.0
        return sorted(self._found, key=lambda name: sign * (self._found[name].trials[0].value or 0.0))

    def _trials_left(self, still: Sequence[Contender]) -> int | None:
        if self._budget.trials is None:
            return None
        waiting = {one.name for one in still}
        made = sum(1 if name in waiting else len(found.trials) for name, found in self._found.items())
        return max(0, self._budget.trials - made)

    def _left(self) -> float:
        """Seconds."""
        return float("inf") if self._budget.seconds is None else self._budget.seconds - sum(one.seconds for one in self._found.values())

    def _search(self, contender: Contender, budget: Budget) -> None:
        question = replace(self._question, space=contender.space, about=f"{self._question.about}/{contender.name}")
        path, lane = place(self._folder, question), _Lane(self._crew, contender.name)
        try:
            found = search(
                question,
                self._objective,
                budget,
                path=path,
                crew=lambda objective: lane,
                first=[contender.first],
                tell=lambda one: self._tell(_named(one, contender.name)),
            )
        except Refused as fault:
            self._left_out[contender.name] = fault.what
        else:
            self._found[contender.name] = found

    def _standing(self, name: str) -> Standing:
        found = self._found[name]
        return Standing(contender=name, parameters=found.parameters, value=found.value, trials=len(found.trials), seconds=found.seconds)


def _named(tried: Tried, contender: str) -> Tried:
    """A trial with its contender among its parameters."""
    return replace(tried, parameters={MODEL: contender, **tried.parameters})
