"""The search itself: propose a trial, measure it fold by fold, record, and go on until the budget is spent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from towpath.clock import machine_s
from towpath.digest import Digest, of_value
from towpath.errors import Refused
from towpath.search.crews import Alone
from towpath.search.port import Budget, Crew, Measured, Objective, Question, Study, Task, Trial
from towpath.search.spaces import within
from towpath.search.studies import study_of
from towpath.search.trial_log import TrialLog, opened
from towpath.search.trials import Began, Ended, Found, Parameters, State, Tried, Valued, best

HOPELESS = 5  # of the first trials: when so many failed and none gave a value, the others would fail as well


def search(
    question: Question,
    objective: Objective,
    budget: Budget,
    *,
    path: Path | None = None,
    crew: Callable[[Objective], Crew] = Alone,
    first: Sequence[Parameters] = (),
    earlier: Sequence[Tried] = (),
    clock: Callable[[], float] = machine_s,
    tell: Callable[[Tried], None] = lambda tried: None,
) -> Found:
    """The best parameters that the budget finds.

    With one trial at a time, the same question gives the same trials, whether or not it was killed in between (samplers ``tpe``,
    ``random`` and ``grid``). A fold of parameters that were measured before is not measured again.

    Args:
        path: the file of the trials. What is there counts towards the budget and is not repeated; a trial that was under way is
            run again, from the fold where it stood. Left out, nothing survives the process.
        crew: who measures, given the objective; ``partial(Local, slots=2)`` takes processes of this machine.
        first: parameters that are tried before any others, such as the champion's; those outside the space are passed over.
        earlier: trials of an earlier search over the same space: proposals learn from them, and none of them can win.
        clock: seconds, for the budget.
        tell: is given each trial that ends here.

    Raises:
        Refused: no trial gave a value; says why the first one did not.
        UsageError: the sampler needs a library that is not installed, or ``path`` holds another question's trials.
        Conflict: another process searches at ``path``.
    """
    with opened(path, question) as log, closing(crew(objective)) as hands:
        return _Course(question, budget, log, hands, first, clock, tell).through(study_of(question, earlier))


class _Course:
    """One search on its way."""

    def __init__(
        self,
        question: Question,
        budget: Budget,
        log: TrialLog,
        crew: Crew,
        first: Sequence[Parameters],
        clock: Callable[[], float],
        tell: Callable[[Tried], None],
    ) -> None:
        self._question, self._budget, self._log, self._crew, self._clock, self._tell = question, budget, log, crew, clock, tell
        self._first = [inside for one in first if (inside := within(question.space, one)) is not None]
        self._begun = clock() - log.seconds
        self._known: dict[tuple[Digest, int], float] = {}
        self._busy: set[int] = set()

    def through(self, study: Study) -> Found:
        self._study = study
        self._waiting = deque(self._restored())
        while self._filled():
            for measured in sorted(self._crew.wait(), key=lambda one: one.task.trial.number):
                self._take(measured)
        trials = tuple(self._log.trials.values())
        found = best(trials, self._question.better)
        if found is None or found.value is None:
            because = next((one.because for one in trials if one.because), "none was finished")
            raise Refused(f"none of {len(trials)} trials gave a value: {because}", mend="mend what is trained, or narrow the space")
        return Found(parameters=found.parameters, value=found.value, trials=trials, seconds=self._log.seconds)

    def _restored(self) -> list[int]:
        """Tell the study of the trials in the log; the numbers of those that were under way."""
        for tried in self._log.trials.values():
            for fold, value in enumerate(tried.values):
                self._known[of_value(tried.parameters), fold] = value
            self._study.begin(tried.number, tried.parameters)
            if tried.state is not State.RUNNING:
                self._study.end(tried)
        return [tried.number for tried in self._log.trials.values() if tried.state is State.RUNNING]

    def _filled(self) -> bool:
        """Give the crew as much as it can do; whether anything is under way."""
        while len(self._busy) < self._crew.slots and (number := self._next()) is not None:
            self._go_on(number)
        return bool(self._busy)

    def _next(self) -> int | None:
        """The number of a trial that is to be measured, if there is to be one more."""
        if self._waiting:
            return self._waiting.popleft()
        trials = self._log.trials
        if self._is_spent() or (len(trials) >= HOPELESS and all(one.state is State.FAILED for one in trials.values())):
            return None
        number = len(trials)
        if number < len(self._first):
            chosen: Parameters | None = self._first[number]
            self._study.begin(number, self._first[number])
        else:
            chosen = self._study.propose(number)
        if chosen is None:
            return None
        self._log.tell(Began(number=number, parameters=dict(chosen), at=self._seconds()))
        return number

    def _is_spent(self) -> bool:
        made, budget = len(self._log.trials), self._budget
        if made == 0:
            return False
        return (budget.trials is not None and made >= budget.trials) or (budget.seconds is not None and self._seconds() >= budget.seconds)

    def _go_on(self, number: int) -> None:
        """Have the trial's next fold measured, or end it."""
        while True:
            tried = self._log.trials[number]
            fold = len(tried.values)
            if fold == self._question.folds:
                return self._end(number, State.COMPLETE)
            if fold and self._study.prunes(number, tried.values):
                return self._end(number, State.PRUNED)
            value = self._known.get((of_value(tried.parameters), fold))
            if value is None:
                self._busy.add(number)
                return self._crew.submit(Task(Trial(number, tried.parameters), fold))
            self._log.tell(Valued(number=number, value=value, seconds=0.0, at=self._seconds()))

    def _take(self, measured: Measured) -> None:
        number, fold = measured.task.trial.number, measured.task.fold
        self._busy.remove(number)
        if measured.fault:
            return self._end(number, State.FAILED, measured.fault, measured.seconds)
        self._known[of_value(measured.task.trial.parameters), fold] = measured.value
        self._log.tell(Valued(number=number, value=measured.value, seconds=measured.seconds, at=self._seconds()))
        return self._go_on(number)

    def _end(self, number: int, state: State, because: str = "", seconds: float = 0.0) -> None:
        self._log.tell(Ended(number=number, state=state, because=because, seconds=seconds, at=self._seconds()))
        self._study.end(self._log.trials[number])
        self._tell(self._log.trials[number])

    def _seconds(self) -> float:
        return self._clock() - self._begun
