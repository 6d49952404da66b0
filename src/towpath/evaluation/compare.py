"""Intervals: of a metric, and of a difference: between two models on the same rows, or between two samples of rows.

Both models see the same rows, so what is hard for one is hard for the other and cancels: the interval of the paired
difference is far narrower than the two models' own intervals suggest. Under 30 rows (or 10 of a class, for auc) no
interval is claimed: its ends are infinite, and nothing is decided by it.

    auc                  E. DeLong, D. DeLong, D. Clarke-Pearson, Biometrics 44 (1988) 837-845, from midranks in O(n log n) as
                         X. Sun, W. Xu, IEEE Signal Processing Letters 21 (2014) 1389-1393
    accuracy             the difference: D. Bonett, R. Price, J. Educational and Behavioral Statistics 37 (2012) 479-488, which stays
                         sane where the models hardly ever differ; one model's: E. Wilson, JASA 22 (1927) 209-212
    a mean of losses     Student's t of the rows, or of the rows' differences
    rmse, r2             the same, made linear around the estimate (delta method)
    f1, precision, ...   percentiles of a bootstrap of whole rows, labels and both answers together
    two samples          G. Zou, A. Donner, "Construction of confidence limits about effect measures: a general approach", Statistics
                         in Medicine 27 (2008) 1693-1702, from the interval of each
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from towpath.errors import UsageError
from towpath.evaluation.metrics import Array, Floats, Form, Metric, classes_of, placements, predicted, spread

LEAST_ROWS = 30
LEAST_OF_A_CLASS = 10
RESAMPLES = 2000
AT_ONCE = 250  # a resample is a table of classes by classes: of 100 classes, 80 KB


@dataclass(frozen=True, kw_only=True)
class Interval:
    """``estimate`` with the ends of its interval at ``level``, from ``rows`` rows by ``method``."""

    estimate: float
    low: float
    high: float
    level: float
    rows: int
    method: str


def difference(
    metric: Metric, label: Array, candidate: Array, other: Array, *, factor: float = 1.0, level: float = 0.95, seed: int = 0
) -> Interval:
    """``metric`` of ``candidate`` minus ``factor`` times that of ``other``, both on the rows of ``label``.

    Labels and scores as :func:`~towpath.evaluation.predictions.predictions` gives them.

    Raises:
        UsageError: these rows do not determine the metric, or a factor was given for one that is not a mean loss or its root.
    """
    if factor != 1 and metric.form not in (Form.MEAN, Form.ROOT):
        raise UsageError(f"{metric.name} cannot be compared by a factor, {factor:g}", mend="compare it by a margin")
    if candidate.shape != other.shape:
        raise UsageError(
            f"scores of the shape {candidate.shape} cannot be paired with {other.shape}", mend="score the same rows and classes"
        )
    estimate = metric.value(label, candidate) - factor * metric.value(label, other)
    if _too_few(metric, label):
        return _unknown(estimate, level, len(label))
    match metric.form:
        case Form.RANK:
            ours, theirs = placements(label, candidate), placements(label, other)
            return _delong(estimate, ours[0] - theirs[0], ours[1] - theirs[1], level)
        case Form.RIGHT:
            return _discordant(estimate, predicted(candidate) == label, predicted(other) == label, level)
        case Form.COUNTS:
            return _bootstrap(metric, estimate, label, (candidate, other), level, seed)
        case _:
            return _student(estimate, influence(metric, label, candidate) - factor * influence(metric, label, other), level)


def interval(metric: Metric, label: Array, score: Array, *, level: float = 0.95, seed: int = 0) -> Interval:
    """``metric`` of one model, with its interval.

    Raises:
        UsageError: these rows do not determine the metric.
    """
    estimate = metric.value(label, score)
    if _too_few(metric, label):
        return _unknown(estimate, level, len(label))
    match metric.form:
        case Form.RANK:
            return _delong(estimate, *placements(label, score), level)
        case Form.RIGHT:
            return _wilson(estimate, len(label), level)
        case Form.COUNTS:
            return _bootstrap(metric, estimate, label, (score,), level, seed)
        case _:
            return _student(estimate, influence(metric, label, score), level)


def apart(one: Interval, other: Interval) -> Interval:
    """``one`` minus ``other``, whose rows are other rows: of two intervals at one level, that of their difference.

    With ``one`` in [l, u] and ``other`` in [l', u'], low = d - sqrt((one - l)² + (u' - other)²) and high =
    d + sqrt((u - one)² + (other - l')²), where d = one - other; two lopsided intervals give a lopsided one.

    >>> five = Interval(estimate=5, low=1, high=9, level=0.95, rows=100, method="")
    >>> nine = Interval(estimate=9, low=6, high=12, level=0.95, rows=100, method="")
    >>> apart(five, nine).low, apart(five, nine).high
    (-9.0, 1.0)
    """
    estimate = one.estimate - other.estimate
    low = estimate - math.hypot(one.estimate - one.low, other.high - other.estimate)
    high = estimate + math.hypot(one.high - one.estimate, other.estimate - other.low)
    return Interval(estimate=estimate, low=low, high=high, level=one.level, rows=one.rows, method="Zou-Donner")


def influence(metric: Metric, label: Array, score: Array) -> Floats:
    """How each row moves a metric that is made of a mean: terms of mean 0 whose own mean is the metric's error, to first order."""
    if metric.rows is None:
        raise TypeError(f"{metric.name} is not made of a mean")
    rows = metric.rows(label, score)
    mean = rows.mean()
    if metric.form is Form.ROOT:
        return (rows - mean) / (2 * np.sqrt(mean)) if mean > 0 else np.zeros_like(rows)
    if metric.form is Form.SPREAD:
        variance = spread(label)
        return np.asarray((mean / variance * (label - label.mean()) ** 2 - rows) / variance)
    return np.asarray(rows - mean)


def _too_few(metric: Metric, label: Array) -> bool:
    if metric.form is Form.RANK and min(np.count_nonzero(label == 1), np.count_nonzero(label == 0)) < LEAST_OF_A_CLASS:
        return True
    return len(label) < LEAST_ROWS


def _unknown(estimate: float, level: float, rows: int) -> Interval:
    return Interval(estimate=estimate, low=-math.inf, high=math.inf, level=level, rows=rows, method="too few rows")


def _z(level: float) -> float:
    return float(ndtri((1 + level) / 2))


def _delong(estimate: float, positive: Floats, negative: Floats, level: float) -> Interval:
    half = _z(level) * math.sqrt(positive.var(ddof=1) / len(positive) + negative.var(ddof=1) / len(negative))
    rows = len(positive) + len(negative)
    return Interval(estimate=estimate, low=estimate - half, high=estimate + half, level=level, rows=rows, method="DeLong")


def _student(estimate: float, terms: Floats, level: float) -> Interval:
    n = len(terms)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * float(terms.std(ddof=1)) / math.sqrt(n)
    return Interval(estimate=estimate, low=estimate - half, high=estimate + half, level=level, rows=n, method="Student")


def _discordant(estimate: float, ours: Array, theirs: Array, level: float) -> Interval:
    n = len(ours)
    only_ours = (np.count_nonzero(ours & ~theirs) + 1) / (n + 2)
    only_theirs = (np.count_nonzero(theirs & ~ours) + 1) / (n + 2)
    centre = only_ours - only_theirs
    half = _z(level) * math.sqrt((only_ours + only_theirs - centre**2) / (n + 2))
    low, high = min(centre - half, estimate), max(centre + half, estimate)
    return Interval(estimate=estimate, low=low, high=high, level=level, rows=n, method="Bonett-Price")


def _wilson(share: float, n: int, level: float) -> Interval:
    square = _z(level) ** 2
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = math.sqrt(square * (share * (1 - share) / n + square / (4 * n * n))) / (1 + square / n)
    return Interval(estimate=share, low=centre - half, high=centre + half, level=level, rows=n, method="Wilson")


def _bootstrap(metric: Metric, estimate: float, label: Array, scores: Sequence[Array], level: float, seed: int) -> Interval:
    """Rows that agree in label and in each answer are alike, so a resample of rows is one multinomial draw over the kinds of rows."""
    if metric.counts is None:
        raise TypeError(f"{metric.name} is not made of counts")
    k = classes_of(scores[0])
    answers = [predicted(score) for score in scores]
    kinds, counts = np.unique(np.stack([label, *answers]), axis=1, return_counts=True)
    random, parts = np.random.default_rng(seed), []
    for _ in range(RESAMPLES // AT_ONCE):
        draws = random.multinomial(len(label), counts / len(label), size=AT_ONCE).astype(np.float64)
        values = [metric.counts(_tables(draws, kinds[0], answer, k)) for answer in kinds[1:]]
        parts.append(values[0] - values[1] if len(values) == 2 else values[0])
    spreads = np.concatenate(parts)
    low, high = np.quantile(spreads, [(1 - level) / 2, (1 + level) / 2])
    return Interval(
        estimate=estimate,
        low=min(float(low), estimate),
        high=max(float(high), estimate),
        level=level,
        rows=len(label),
        method="paired bootstrap" if len(scores) == 2 else "bootstrap",
    )


def _tables(draws: Floats, label: Array, answer: Array, k: int) -> Floats:
    """Draws of shape ``(draws, kinds)`` -> tables of shape ``(draws, k, k)``."""
    tables = np.zeros((k * k, len(draws)))
    np.add.at(tables, label * k + answer, draws.T)  # a cell may have rows of several kinds
    return tables.T.reshape(len(draws), k, k)
