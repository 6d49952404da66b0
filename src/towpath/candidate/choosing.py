"""Which parameters are trained with: the champion's, or those that a search finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from towpath.candidate.objective import OfFunction
from towpath.candidate.sides import Sides
from towpath.candidate.source import Source
from towpath.candidate.training import seen_by_model
from towpath.data.content import of_frame
from towpath.digest import Digest, of_value
from towpath.errors import UnknownName
from towpath.evaluation.folds import Fold, folds
from towpath.evaluation.names import MetricName
from towpath.formats.build import FeaturesCode
from towpath.pipeline.fingerprint import fingerprint
from towpath.pipeline.graph import hyperparameters_of
from towpath.pipeline.seeds import seed_of
from towpath.pipeline.train import takes_valid
from towpath.project import Project
from towpath.project_fields import Scalar
from towpath.project_search import Search
from towpath.search.auto import models
from towpath.search.crews import here
from towpath.search.declared import budget_of, folds_of, metric_of, question_of
from towpath.search.port import UNWATCHED, Conduct
from towpath.search.portfolio import MODEL
from towpath.search.search import search
from towpath.search.searched import Searched, of_board
from towpath.search.trial_log import place
from towpath.search.trials import Tried


def is_searched(project: Project) -> bool:
    """Whether a run chooses parameters."""
    return project.search is not None or project.model.is_auto


def check(project: Project, source: Source) -> None:
    """Check what is declared of the search before time is spent.

    Raises:
        ProjectError: a parameter of ``space`` is none of the function, or there is nothing to search.
    """
    space, train = (project.search or Search()).space, project.model.train
    if project.model.is_auto:
        if space:
            what = "`space` is of a function's parameters, and the models that come with Towpath bring their own"
            raise project.fault("search", "space", what=what, mend="leave `space` out, or name the function under `model.train`")
        return
    if not space:
        what = f"there is nothing to search: {train!r} has no `space`"
        raise project.fault("search", what=what, mend="give each parameter one: `space: {trees: {int: [50, 400]}}`, or say `train: auto`")
    takes = hyperparameters_of(source.function(str(train)))
    for name in space:
        if name not in takes:
            fault = UnknownName(f"keyword-only parameter of {train!r}", name, takes)
            raise project.fault("search", "space", name, what=fault.what, mend=fault.mend)


def reusable(project: Project, parameters: Mapping[str, Any]) -> dict[str, Scalar] | None:
    """Those parameters of an earlier version that a search would choose; None where they do not name them all."""
    names = [*parameters] if project.model.is_auto and MODEL in parameters else [*(project.search or Search()).space]
    return {name: parameters[name] for name in names} if names and all(name in parameters for name in names) else None


def searched(
    project: Project,
    source: Source,
    sides: Sides,
    conduct: Conduct = UNWATCHED,
    *,
    first: Sequence[Mapping[str, Scalar]] = (),
    earlier: Sequence[Tried] = (),
) -> Searched:
    """Search by the rows of ``sides`` that are not for the gates.

    Args:
        first: parameters to try before others.
        earlier: trials of a search over other rows, to learn from.

    Raises as ``search.search`` does.
    """
    rows, made = _folded(project, sides)
    features, metric = source.features(project), metric_of(project)
    seen = seen_by_model(project, rows, features)
    valid = _to_stop_by(project, source, sides, features)
    about = of_value(
        [
            [of_frame(each) for each in (seen, valid) if each is not None],
            metric.name,
            [[fold.train.tolist(), fold.test.tolist()] for fold in made],
            _code(project, source),
        ]
    )
    ground = _Ground(project, seen, tuple(made), metric, seed_of(project.name, "search", project.seed) % 2**31, about)
    if project.model.is_auto:
        return _among_models(ground, conduct)
    return _of_function(ground, _objective(ground, source, valid), conduct, first=first, earlier=earlier)


def _to_stop_by(project: Project, source: Source, sides: Sides, features: FeaturesCode | None) -> pl.DataFrame | None:
    """What a function that takes ``valid`` is given beside each fold."""
    if project.model.is_auto or sides.valid is None or not takes_valid(source.function(str(project.model.train))):
        return None
    return seen_by_model(project, sides.valid, features)


class _Ground(NamedTuple):
    """What a search is made on. ``about``: digest of all that a trial's value depends on beside its parameters."""

    project: Project
    seen: pl.DataFrame
    folds: tuple[Fold, ...]
    metric: MetricName
    seed: int
    about: Digest


def _among_models(ground: _Ground, conduct: Conduct) -> Searched:
    project, metric = ground.project, ground.metric
    label, task, declared = project.model.label.column, project.model.task, project.search or Search()
    board = models(ground.seen, label, task, declared, ground.folds, conduct, seed=ground.seed, about=ground.about)
    return of_board(board, metric.name, metric.better)


def _of_function(
    ground: _Ground, objective: OfFunction, conduct: Conduct, *, first: Sequence[Mapping[str, Scalar]], earlier: Sequence[Tried]
) -> Searched:
    project, metric, declared = ground.project, ground.metric, ground.project.search or Search()
    question = question_of(project, folds=len(ground.folds), seed=ground.seed, about=ground.about)
    found = search(
        question,
        objective,
        budget_of(declared),
        path=place(conduct.folder, question) if conduct.folder else None,
        crew=conduct.crew or here(declared.parallel),
        first=first,
        earlier=earlier,
        tell=conduct.tell,
    )
    return Searched(
        parameters=found.parameters,
        metric=metric.name,
        better=metric.better,
        value=found.value,
        seconds=found.seconds,
        space=declared.space,
        trials=found.trials,
    )


def _objective(ground: _Ground, source: Source, valid: pl.DataFrame | None) -> OfFunction:
    project, name = ground.project, str(ground.project.model.train)
    return OfFunction(
        tree=str(source.root),
        pipeline=str(project.pipeline),
        function=name,
        rows=ground.seen,
        label=project.model.label.column,
        task=project.model.task,
        metric=ground.metric.name,
        folds=ground.folds,
        valid=valid,
        declared=project.model.parameters,
        seed=seed_of(project.name, name, project.seed),
    )


def _folded(project: Project, sides: Sides) -> tuple[pl.DataFrame, list[Fold]]:
    """The rows of the search, and their folds: where rows are set aside for it and no folds are declared, these are the one fold."""
    if sides.valid is None or (project.search and project.search.folds):
        return sides.train, folds(sides.train, folds_of(project), seed=project.seed)
    rows = pl.concat([sides.train, sides.valid])
    trained, measured = np.split(np.arange(rows.height), [sides.train.height])
    return rows, [Fold(trained, measured)]


def _code(project: Project, source: Source) -> dict[str, Any]:
    """What else a trial's value depends on."""
    model, seed = project.model, project.seed
    names = [name for name in (model.features, None if model.is_auto else model.train) if name]
    code = {name: fingerprint(source.reach(name), parameters={}, inputs={}, seed=seed) for name in names}
    return {"code": code, "declared": model.parameters}
