"""An answer, before it becomes JSON: plain values that also travel between processes."""

from __future__ import annotations

import msgspec

from towpath.formats import Label
from towpath.journal.port import Outcome


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """A prediction a row; ``probabilities`` has a row of numbers for each, in the order of the classes, or is None."""

    predictions: list[Label]
    probabilities: list[list[float]] | None = None

    def score(self, row: int) -> float | None:
        """P(positive) of a binary task; the value of a regression; None for several classes."""
        if self.probabilities is not None:
            return self.probabilities[row][1] if len(self.probabilities[row]) == 2 else None
        value = self.predictions[row]
        return float(value) if isinstance(value, (int, float)) else None


class Told(msgspec.Struct, frozen=True, array_like=True):
    """How one scoring went. Without an answer, ``outcome`` is not ``ok`` and ``detail`` says why."""

    outcome: Outcome
    detail: str
    seconds: float  # of the scoring itself, machine clock: a challenger's does not count the way to its process
    answer: Answer | None = None
