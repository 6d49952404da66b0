"""Training a model: a step of the pipeline like any other, kept and reused like one, whose inputs are the rows that it may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from towpath.candidate.sides import Sides
from towpath.candidate.source import Source
from towpath.digest import Digest
from towpath.formats.build import FeaturesCode, Trained, training_rows
from towpath.formats.frames import kind_of
from towpath.labels import raw
from towpath.pipeline import codecs, derived
from towpath.pipeline.default_model import default_model
from towpath.pipeline.functions import Function
from towpath.pipeline.graph import Step
from towpath.pipeline.seeds import seed_of
from towpath.pipeline.train import TRAIN, VALID, checked, fit, parameters_of, takes_valid
from towpath.pipeline.values import Value
from towpath.pipeline.watching import Executed
from towpath.pipeline.work import Call
from towpath.project import Project
from towpath.project_fields import Scalar
from towpath.project_steps import StepPlan
from towpath.search.auto import fitted
from towpath.store import Store


class Shop(Protocol):
    """Where steps are made, through the cache."""

    @property
    def store(self) -> Store:
        """What steps are given and make lies there."""
        ...

    def make(self, steps: Sequence[Step], given: Mapping[str, Value]) -> list[Executed]:
        """Make steps of what is given, in the order in which they ended."""
        ...


def parameters(project: Project, source: Source, chosen: Mapping[str, Scalar] | None = None) -> dict[str, Any]:
    """The hyperparameters that training will use: the function's defaults, over them what is declared, over that what was ``chosen``."""
    over = {**project.model.parameters, **(chosen or {})}
    return parameters_of(source.function(project.model.train), over) if project.model.train and not project.model.is_auto else over


def train(
    project: Project,
    source: Source,
    sides: Sides,
    chosen: Mapping[str, Scalar] | None = None,
    *,
    shop: Shop | None = None,
) -> Trained:
    """Train on the rows of ``sides``; what comes out, before it is packaged.

    Args:
        chosen: hyperparameters that go over the declared ones.
        shop: makes the training as a step; it is made in this process, and nothing is kept, when left out.
    """
    model, features = project.model, source.features(project)
    name, label = model.train, model.label.column
    if not name or model.is_auto:
        return Trained(model=_without_function(project, sides, chosen, features), task=model.task, label=label, features=features)
    function, over = source.function(name), {**model.parameters, **(chosen or {})}
    known = parameters_of(function, over)
    given = _given(project, function, sides, features)
    if shop:
        answering = checked(name, _made(name, given, sides.of, over, project.steps.get(name, StepPlan()).workers, shop))
    else:
        answering = fit(function, given, known, seed=seed_of(project.name, name, project.seed), root=source.root)
    return Trained(model=answering, task=model.task, label=label, kind=kind_of(function), features=features)


def _without_function(project: Project, sides: Sides, chosen: Mapping[str, Scalar] | None, features: FeaturesCode | None) -> Any:
    """A fitted model of the portfolio; the default one where none was chosen."""
    model = project.model
    if model.parameters:
        what = f"parameters are declared ({', '.join(model.parameters)}), and no function takes them"
        raise project.fault("model", "parameters", what=what, mend="name the function under `model.train`, or drop the parameters")
    seen, seed = seen_by_model(project, sides.train, features), seed_of(project.name, "model", project.seed)
    if chosen:
        return fitted(chosen, seen, model.task, label=model.label.column, seed=seed % 2**31)
    return default_model(seen, model.label.column, model.task, seed)


def seen_by_model(project: Project, rows: pl.DataFrame, features: FeaturesCode | None) -> pl.DataFrame:
    """Rows in the form in which a model sees them, and the label."""
    return training_rows(raw(rows, project), project.model.label.column, features)


def _given(project: Project, function: Function, sides: Sides, features: FeaturesCode | None) -> dict[str, pl.DataFrame]:
    """The rows that the function takes."""
    given = {TRAIN: seen_by_model(project, sides.train, features)}
    if takes_valid(function):
        if sides.valid is None:
            what = f"{function.__name__!r} takes {VALID!r}, and no rows are set aside for it"
            raise project.fault(
                "split", what=what, mend="declare them: `split: {valid: {random: 20%}}`, or {last: 14d}, or {groups: COLUMN}"
            )
        given[VALID] = seen_by_model(project, sides.valid, features)
    return given


def _made(name: str, given: Mapping[str, pl.DataFrame], of: Digest | None, over: Mapping[str, Any], workers: int, shop: Shop) -> Any:
    """The trained object, from the cache or from where steps execute."""
    values = {key: derived.keep(rows, shop.store, name=key, of={"rows": of} if of else {}) for key, rows in given.items()}
    step = Step(name, {key: key for key in values}, Call(name, workers), dict(over))
    made = shop.make([step], values)[0].value
    with ExitStack() as stack:
        return codecs.give(made, shop.store, Path(), stack)
