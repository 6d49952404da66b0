"""Which study a question is for: a grid walks by itself, everything else is Optuna's."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from msgspec.structs import replace

from towpath.errors import UsageError
from towpath.search.grid import Grid
from towpath.search.port import Question, Study
from towpath.search.spaces import within
from towpath.search.trials import Tried


def study_of(question: Question, earlier: Sequence[Tried] = ()) -> Study:
    """The study of a question, told of ``earlier`` trials of another search; those outside the space are passed over.

    Raises:
        UsageError: Optuna is needed, or what a sampler of Optuna's needs, and it is not installed.
    """
    if question.sampler == "grid" and question.pruner == "none":
        return Grid(question)
    try:
        adapter = import_module("towpath.search.optuna_study")  # by name, because its library may not be installed
    except ModuleNotFoundError as fault:
        raise UsageError(f"{fault.name} is not installed: it is needed to search", mend="pip install 'towpath[search]'") from fault
    study: Study = adapter.OptunaStudy(question)
    if question.sampler == "grid":
        return Grid(question, study)
    for number, tried in enumerate(earlier, -len(earlier)):
        if parameters := within(question.space, tried.parameters):
            study.begin(number, parameters)
            study.end(replace(tried, number=number))
    return study
