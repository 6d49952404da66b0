"""``model: auto``: from rows to the leaderboard of the portfolio, and from a standing to a fitted model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from towpath.digest import of_value
from towpath.errors import UsageError
from towpath.evaluation.folds import Fold, Shuffled, folds
from towpath.evaluation.names import Direction, find, names
from towpath.pipeline.fingerprint import ENGINE, surroundings, versions
from towpath.project_fields import Scalar
from towpath.project_search import LIBRARIES, Folds, Search
from towpath.search.crews import here
from towpath.search.declared import budget_of
from towpath.search.estimators import estimator
from towpath.search.leaderboard import Leaderboard, race
from towpath.search.objectives import Labelled, Unlabelled
from towpath.search.port import UNWATCHED, Conduct, Question
from towpath.search.portfolio import MODEL, field_of

SILHOUETTE = "silhouette"  # the one metric of clusters


def models(
    rows: pl.DataFrame,
    label: str,
    task: str,
    declared: Search,
    made: Sequence[Fold],
    conduct: Conduct = UNWATCHED,
    *,
    seed: int = 0,
    about: str = "",
) -> Leaderboard:
    """The models of the portfolio, the best first.

    Args:
        rows: in the form in which a model sees them (text, and numbers with NaN for null), with a ``label`` without gaps.
        declared: metric, trials, minutes, sampler, pruner and processes; its space and folds are not looked at.
        made: the folds that each trial is measured on.
        seed: from 0 to 2**31 - 1.
        about: tells trials of other rows and folds apart from these.

    Raises:
        Refused: none of them could be trained.
        UsageError: the task has no such metric.
    """
    metric = find(declared.metric or names(task)[0], task)
    threads = max(1, len(os.sched_getaffinity(0)) // declared.parallel)
    objective = Labelled(rows=rows, label=label, task=task, metric=metric.name, folds=tuple(made), seed=seed, threads=threads)
    field = field_of(task, rows[label].unique(maintain_order=True))
    question = _question(declared, len(made), metric.better, seed, about=_about(f"{about}/{metric.name}"))
    return race(field, question, objective, budget_of(declared), _by(declared, conduct))


def clusters(
    rows: pl.DataFrame,
    declared: Search,
    conduct: Conduct = UNWATCHED,
    *,
    seed: int = 0,
    about: str = "",
) -> Leaderboard:
    """The models of the portfolio that make clusters, the best first, by the silhouette of rows that they were not trained on.

    Arguments and errors as of ``models``. They convert to ONNX, but a version cannot be made of them: no package has this task.
    """
    if declared.metric not in (None, SILHOUETTE):
        raise UsageError(f"clusters have no {declared.metric}", mend=f"leave `metric` out, or write {SILHOUETTE}")
    made = tuple(folds(rows, Shuffled((declared.folds or Folds()).count), seed=seed))
    objective = Unlabelled(rows=rows, folds=made, seed=seed)
    question = _question(declared, len(made), Direction.HIGHER, seed, about=_about(f"{about}/{SILHOUETTE}"))
    return race(field_of("clustering"), question, objective, budget_of(declared), _by(declared, conduct))


def _by(declared: Search, conduct: Conduct) -> Conduct:
    """With a crew, where none is given."""
    return conduct if conduct.crew else conduct._replace(crew=here(declared.parallel))


def _about(about: str) -> str:
    """Another version of a library makes another model of the same parameters."""
    return of_value([about, versions([ENGINE, *LIBRARIES]), surroundings()])


def _question(declared: Search, count: int, better: Direction, seed: int, *, about: str) -> Question:
    return Question(space={}, better=better, folds=count, sampler=declared.sampler, pruner=declared.pruner, seed=seed, about=about)


def fitted(chosen: Mapping[str, Scalar], rows: pl.DataFrame, task: str, *, label: str | None = None, seed: int = 0) -> Any:
    """A model trained on all of these rows. ``chosen``: its parameters, and as ``model`` its name, as of a standing."""
    features = rows.drop(label) if label else rows
    made = estimator(str(chosen[MODEL]), features, chosen, task, seed, threads=len(os.sched_getaffinity(0)))
    return made.fit(features, rows[label].to_numpy()) if label else made.fit(features)
