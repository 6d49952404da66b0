"""What parameters are worth on a fold: the project's function is trained with them on the other rows, and measured on these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import polars as pl

from towpath.evaluation.folds import Fold
from towpath.evaluation.metrics import metric
from towpath.evaluation.predictions import predictions
from towpath.formats.build import Trained, trained_answerer
from towpath.formats.frames import kind_of
from towpath.pipeline import functions
from towpath.pipeline.functions import Function, named
from towpath.pipeline.train import TRAIN, VALID, fit, parameters_of
from towpath.project_fields import Scalar
from towpath.project_model import Task
from towpath.search.port import Trial


@dataclass(frozen=True, kw_only=True)
class OfFunction:
    """An objective: the ``metric``. It may be sent to another process, rows and all.

    Attributes:
        tree: the folder of the project's code, ``pipeline`` the file in it, ``function`` the training in that.
        rows: in the form in which a model sees them, with the ``label``.
        valid: rows to stop by, where the function takes them.
        declared: parameters that a trial's go over.
    """

    tree: str
    pipeline: str
    function: str
    rows: pl.DataFrame
    label: str
    task: Task
    metric: str
    folds: tuple[Fold, ...]
    valid: pl.DataFrame | None = None
    declared: Mapping[str, Scalar] = field(default_factory=dict)
    seed: int = 0

    def __call__(self, trial: Trial, fold: int) -> float:
        seen, aside = self.rows[self.folds[fold].train], self.rows[self.folds[fold].test]
        function = named(_functions(self.tree, self.pipeline), self.function)
        given = {TRAIN: seen} if self.valid is None else {TRAIN: seen, VALID: self.valid}
        parameters = parameters_of(function, {**self.declared, **trial.parameters})
        model = fit(function, given, parameters, seed=self.seed, root=Path(self.tree))
        trained = Trained(model=model, task=self.task, label=self.label, kind=kind_of(function))
        scores = trained_answerer(trained, seen)(aside.drop(self.label))
        known = predictions(self.task, aside[self.label].to_numpy(), scores.judged, scores.classes)
        return metric(self.task, self.metric).value(known.label, known.score)


@cache
def _functions(tree: str, pipeline: str) -> dict[str, Function]:
    """Imported once a process: the tree of a run does not change."""
    return functions.load(Path(tree), pipeline)
