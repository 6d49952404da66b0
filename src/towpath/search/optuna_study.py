"""Adapter (Optuna): its samplers propose, its pruners give up. It keeps nothing: the log of trials is told to it again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

import optuna
from msgspec.structs import replace
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from towpath.errors import UsageError
from towpath.evaluation.names import Direction
from towpath.pipeline.seeds import seed_of
from towpath.project_fields import Scalar
from towpath.project_search import Dimension
from towpath.search.port import Question
from towpath.search.spaces import Space, index, last
from towpath.search.trials import Parameters, State, Tried

_SAMPLERS: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "grid": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "gp": lambda seed: optuna.samplers.GPSampler(seed=seed),
    "cmaes": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
    "qmc": lambda seed: optuna.samplers.QMCSampler(seed=seed, scramble=True),
    "nsgaii": lambda seed: optuna.samplers.NSGAIISampler(seed=seed),
}
_PRUNERS: dict[str, Callable[[int], optuna.pruners.BasePruner]] = {
    "median": lambda folds: optuna.pruners.MedianPruner(),
    "none": lambda folds: optuna.pruners.NopPruner(),
    "hyperband": lambda folds: optuna.pruners.HyperbandPruner(max_resource=folds),
    "halving": lambda folds: optuna.pruners.SuccessiveHalvingPruner(),
    "wilcoxon": lambda folds: optuna.pruners.WilcoxonPruner(),
}
_STATES = {State.COMPLETE: TrialState.COMPLETE, State.PRUNED: TrialState.PRUNED, State.FAILED: TrialState.FAIL}

_SEEDED = ("tpe", "random", "grid")  # samplers that keep nothing from one proposal to the next: all that they know is in the trials
_LIBRARIES = {"gp": "torch", "cmaes": "cmaes"}

optuna.logging.set_verbosity(optuna.logging.ERROR)  # by itself it prints a line for each study and trial


class OptunaStudy:
    """A study of Optuna's, in memory.

    Of ``tpe`` and ``random`` each proposal has a seed of its own, made of the trial's number: so it follows from the trials before it
    alone, and a search that was killed goes on as it would have. The others learn what they can from the trials that they are told of.

    Raises:
        UsageError: the sampler needs a library that is not installed.
    """

    def __init__(self, question: Question) -> None:
        _check_installed(question.sampler)
        self._question = question
        self._distributions = distributions(question.space)
        with _fresh_parts():
            pruner = _PRUNERS[question.pruner](question.folds)
        direction = StudyDirection.MAXIMIZE if question.better is Direction.HIGHER else StudyDirection.MINIMIZE
        self._study = optuna.create_study(study_name="search", direction=direction, pruner=pruner)  # of the name hyperband draws
        self._sampler: optuna.samplers.BaseSampler | None = None
        self._under_way: dict[int, optuna.Trial] = {}

    def propose(self, number: int) -> Parameters:
        if self._sampler is None or self._question.sampler in _SEEDED:
            seed = seed_of("search", f"trial {number}", self._question.seed)
            with _fresh_parts():
                self._sampler = _SAMPLERS[self._question.sampler](seed)
        self._study.sampler = self._sampler
        trial = self._under_way[number] = self._study.ask(self._distributions)
        return {name: _outside(one, trial.params[name]) for name, one in self._question.space.items()}

    def begin(self, number: int, parameters: Parameters) -> None:
        inside = {name: _inside(one, parameters[name]) for name, one in self._question.space.items()}
        self._study.add_trial(create_trial(state=TrialState.RUNNING, params=inside, distributions=self._distributions))
        self._under_way[number] = optuna.Trial(self._study, self._study.get_trials(deepcopy=False)[-1]._trial_id)

    def prunes(self, number: int, values: Sequence[float]) -> bool:
        trial = self._under_way[number]
        self._report(trial, values)
        return trial.should_prune()

    def end(self, tried: Tried) -> None:
        trial = self._under_way.pop(tried.number)
        self._report(trial, tried.values)
        self._study.tell(trial, tried.value, state=_STATES[tried.state])

    def importance(self) -> dict[str, float]:
        """The share of each parameter in what makes the values of the complete trials differ."""
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        found = optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        return {name: float(share) for name, share in found.items()}

    def _report(self, trial: optuna.Trial, values: Sequence[float]) -> None:
        """Tell of each fold the mean so far; to a test of pairs, the values themselves."""
        reported = self._study.get_trials(deepcopy=False)[trial.number].intermediate_values
        for fold in range(len(reported), len(values)):
            paired = self._question.pruner == "wilcoxon"
            trial.report(values[fold] if paired else sum(values[: fold + 1]) / (fold + 1), fold)


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """The space as Optuna has it."""
    return {name: _distribution(one) for name, one in space.items()}


def _distribution(dimension: Dimension) -> BaseDistribution:
    if dimension.ends is None:
        return CategoricalDistribution(range(len(dimension.choice)))  # by place, because Optuna takes true for 1
    low, high = dimension.ends[0], last(dimension)
    if dimension.int:
        return IntDistribution(int(low), int(high), log=dimension.log, step=int(dimension.step or 1))
    return FloatDistribution(low, high, log=dimension.log, step=dimension.step)


def _inside(dimension: Dimension, value: Scalar) -> Scalar:
    return index(dimension, value) if dimension.ends is None else value


def _outside(dimension: Dimension, value: Scalar) -> Scalar:
    return dimension.choice[int(value)] if dimension.ends is None else value


@contextmanager
def _fresh_parts() -> Iterator[None]:
    """That a sampler or pruner is new to Optuna is for its maintainers to watch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


def _check_installed(sampler: str) -> None:
    library = _LIBRARIES.get(sampler)
    if library and find_spec(library) is None:
        raise UsageError(f"the sampler {sampler} needs {library}, which is not installed", mend=f"pip install {library}; or take tpe")


def importance(trials: Sequence[Tried], space: Space, better: Direction) -> dict[str, float]:
    """The share of each parameter in what makes values differ over the space (fANOVA); the largest first, with the sum 1.

    A pruned trial counts by the mean of its folds so far, or else what only bad trials have would not be seen to matter.
    Empty where fewer than two trials have a value, none of them differ, or scikit-learn is not installed.

    Source: F. Hutter, H. Hoos, K. Leyton-Brown, "An efficient approach for assessing hyperparameter importance", ICML 2014.
    """
    if find_spec("sklearn") is None:
        return {}
    study = OptunaStudy(Question(space=dict(space), better=better, sampler="random"))
    valued = [replace(one, state=State.COMPLETE) for one in trials if one.state in (State.COMPLETE, State.PRUNED)]
    if len({one.value for one in valued}) < 2:
        return {}
    for tried in valued:
        study.begin(tried.number, tried.parameters)
        study.end(tried)
    return study.importance()
