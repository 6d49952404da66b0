"""What a model of the portfolio is worth on a fold of rows: trained on the others, measured on these.

Which model it is, a trial says by the parameter ``model``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from sklearn.metrics import silhouette_score

from towpath.errors import UsageError
from towpath.evaluation.folds import Fold
from towpath.evaluation.metrics import metric
from towpath.evaluation.predictions import predictions
from towpath.formats.trained import classes_of
from towpath.search.estimators import estimator
from towpath.search.port import Trial
from towpath.search.portfolio import MODEL

MOST_ROWS = 2_000  # of which distances are taken, each from each


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """An objective: the ``metric``. It may be sent to another process, rows and all.

    Attributes:
        rows: in the form in which a model sees them, with the ``label``, which has no gaps.
    """

    rows: pl.DataFrame
    label: str
    task: str
    metric: str
    folds: tuple[Fold, ...]
    seed: int = 0
    threads: int = 1

    def __call__(self, trial: Trial, fold: int) -> float:
        seen, aside = self.rows[self.folds[fold].train], self.rows[self.folds[fold].test]
        made = estimator(str(trial.parameters[MODEL]), seen.drop(self.label), trial.parameters, self.task, self.seed, self.threads)
        model = made.fit(seen.drop(self.label), seen[self.label].to_numpy())
        answers = aside.drop(self.label)
        scores = model.predict(answers) if self.task == "regression" else model.predict_proba(answers)
        known = predictions(self.task, aside[self.label].to_numpy(), scores, classes_of(model))
        return metric(self.task, self.metric).value(known.label, known.score)


@dataclass(frozen=True, kw_only=True)
class Unlabelled:
    """An objective: how much nearer rows that were not trained on lie to their own cluster than to the next (silhouette, -1 to 1).

    Source: P. J. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis", 1987.
    """

    rows: pl.DataFrame
    folds: tuple[Fold, ...]
    seed: int = 0

    def __call__(self, trial: Trial, fold: int) -> float:
        seen, aside = self.rows[self.folds[fold].train], self.rows[self.folds[fold].test[:MOST_ROWS]]
        model = estimator(str(trial.parameters[MODEL]), seen, trial.parameters, "clustering", self.seed).fit(seen)
        clusters = model.predict(aside)
        if not 1 < len(np.unique(clusters)) < aside.height:
            raise UsageError(f"{aside.height} rows lie in {len(np.unique(clusters))} clusters", mend="give more rows, or fewer clusters")
        return float(silhouette_score(model[:-1].transform(aside), clusters))
