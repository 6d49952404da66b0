"""What gates judge by: scores of the test rows, and numbers measured elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from towpath.errors import UsageError
from towpath.evaluation.baseline import Baseline
from towpath.evaluation.metrics import measure
from towpath.evaluation.names import names
from towpath.evaluation.predictions import Predictions, predictions


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """All of it of the same test rows, which training never saw.

    Attributes:
        label: of the test rows, as :func:`~towpath.evaluation.predictions.predictions` takes them; None where no metric is judged.
        candidate: the candidate's scores.
        baseline: what was learned from the training labels alone.
        champion, best: their scores of the same rows.
        classes: in the order of the scores' columns; binary: (negative, positive); empty where labels are codes from 0.
        slices: columns of the test rows, for ``each``.
        measured: ``parity`` (largest difference), ``rows``, ``p50``, ``p95``, ``p99`` (seconds), ``golden_rows`` (share answered
            as recorded, 0 to 1).
        missing: why something is not there at all: ``{"champion": "no champion serves yet"}``. For champion and best there is
            then nothing to beat, and the gate passes; for anything else it is an error.
        unscored: why a champion or best that is there could not be scored; always an error.
        level: of the intervals. seed: of the bootstrap.
    """

    task: str
    label: ArrayLike | None = None
    candidate: ArrayLike | None = None
    baseline: Baseline | None = None
    champion: ArrayLike | None = None
    best: ArrayLike | None = None
    classes: tuple[Any, ...] = ()
    slices: Mapping[str, ArrayLike] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    unscored: Mapping[str, str] = field(default_factory=dict)
    level: float = 0.95
    seed: int = 0

    def predictions(self, who: str, metric: str = "") -> Predictions:
        """Checked labels and scores of ``who``: candidate, baseline, champion or best. For ``metric``, the baseline answers its best.

        Raises:
            UsageError: they are not there, or cannot be used; says why.
        """
        score = {"candidate": self.candidate, "champion": self.champion, "best": self.best}.get(who)
        if who == "baseline" and self.baseline is not None:
            score = self.baseline.scores(np.asarray(self.label).size, metric)
        if who in self.unscored or score is None or self.label is None:
            because = self.unscored.get(who) or self.missing.get(who) or "no test labels are there" * (self.label is None)
            raise UsageError(f"the {who} could not be scored: {because or 'no scores are there'}", mend="mend that, and run again")
        return predictions(self.task, self.label, score, self.classes)

    def nothing_to_beat(self, who: str) -> str:
        """Why there is no champion, or no best, to compare with; empty where there is one."""
        scored = {"champion": self.champion, "best": self.best}.get(who, "always") is not None
        return "" if scored or who in self.unscored else self.missing.get(who, "")


def figures(evidence: Evidence) -> dict[str, dict[str, float]]:
    """Every metric of the task, for each of candidate, baseline, champion and best that can be scored; shown beside the verdicts."""
    found: dict[str, dict[str, float]] = {}
    for who in ("candidate", "baseline", "champion", "best"):
        for name in names(evidence.task):
            with suppress(UsageError):  # what cannot be measured is left out here; a gate on it says why
                found.setdefault(who, {}).update(measure(evidence.predictions(who, name), (name,)))
    return {who: values for who, values in found.items() if values}
