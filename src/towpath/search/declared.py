"""What a project declares of its search, as the values that a search takes; every fault has its place in ``towpath.yaml``."""

from __future__ import annotations

from towpath.errors import UnknownName
from towpath.evaluation.folds import ByGroup, FoldWay, Forward, Shuffled
from towpath.evaluation.names import MetricName, find, names
from towpath.project import Project
from towpath.project_search import Folds, Search
from towpath.search.port import Budget, Question


def budget_of(search: Search) -> Budget:
    """How long it may go on."""
    return Budget(trials=search.most, seconds=None if search.minutes is None else 60 * search.minutes)


def metric_of(project: Project) -> MetricName:
    """What is measured: the declared metric, or the first one of the task.

    Raises:
        ProjectError: the task has no such metric.
    """
    task, search = project.model.task, project.search or Search()
    try:
        return find(search.metric or names(task)[0], task)
    except UnknownName as fault:
        raise project.fault("search", "metric", what=fault.what, mend=fault.mend) from None


def folds_of(project: Project) -> FoldWay:
    """The way of the folds: the declared one, or that of the holdout.

    Raises:
        ProjectError: folds by time, and nothing says which column that is.
    """
    declared, test = (project.search or Search()).folds or Folds(), project.split.test
    count = declared.count
    kind = declared.kind or ("time" if test.last else "group" if test.groups else "random")
    if kind == "group":
        return ByGroup(count, declared.by or test.groups or "")
    if kind == "time":
        return Forward(count, declared.by or _time(project), project.model.label.after)
    if kind == "stratified":
        return Shuffled(count, declared.by or project.model.label.column)
    return Shuffled(count, None if declared.kind else test.stratify)


def _time(project: Project) -> str:
    time = next((dataset.time for dataset in project.data.values() if dataset.time), None)
    if time is None:
        what = "folds by time need one, and no dataset has it"
        raise project.fault("search", "folds", what=what, mend="add `by: COLUMN`, or `time: COLUMN` to the dataset")
    return time


def question_of(project: Project, *, folds: int, seed: int, about: str = "") -> Question:
    """The question that a project's search answers, over so many folds. ``about``: digest of its rows and code.

    Raises:
        ProjectError: the task has no such metric.
    """
    search = project.search or Search()
    better = metric_of(project).better
    return Question(
        space=search.space,
        better=better,
        folds=folds,
        sampler=search.sampler,
        pruner=search.pruner,
        seed=seed,
        about=about,
    )
