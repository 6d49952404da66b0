"""Realised performance: how right the answers of the last weeks were, now that their labels are in.

A look takes the rows of a trailing window whose labels have matured, and the metric's interval on them. It finds
something when the whole interval is worse than the limit. Looks are repeated, one a step, so the interval is drawn at a level
at which no more false alarms are made in a year than stated (each look has its part of them). Rows of one day hang
together (weather, a holiday): where there are enough days, the interval is at least as wide as the days differ.

Source of the second interval: the delete-one-block jackknife, B. Efron and C. Stein, "The jackknife estimate of variance",
Annals of Statistics 9 (1981) 586-596.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

from towpath.errors import UsageError
from towpath.evaluation.compare import interval
from towpath.evaluation.metrics import Metric, metric
from towpath.evaluation.names import Direction, find
from towpath.evaluation.predictions import Predictions, predictions
from towpath.monitor.findings import Finding
from towpath.monitor.profile import window_numbers
from towpath.project import Limit
from towpath.quantities import Rate

LEAST_LABELS = 300  # under these a look does not judge; slices of gates have the same bar
LEAST_OF_A_CLASS = 20
LEAST_BLOCKS = 7

Ends = tuple[float, float]


class Standing(StrEnum):
    """What a look says."""

    FINE = "fine"  # no part, or not the whole, of the interval is worse than the limit
    WORSE = "worse"  # the whole interval is: a finding
    FEW = "not enough labels"  # or none that determine the metric


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What to look at.

    Attributes:
        limit: the value that the metric must not be worse than.
        alpha: chance that one look finds something although the metric stands at its limit; see :func:`alpha_of_a_look`.
        window: of predictions that a look covers; it ends ``delay`` before the look.
        delay: how long a label takes.
        step: from look to look; also the blocks of rows that hang together.
        classes: as the evaluation has them; empty where labels are codes or values.
    """

    task: str
    metric: str
    limit: float
    alpha: float
    window: timedelta
    step: timedelta = timedelta(days=1)
    delay: timedelta = timedelta(0)
    classes: tuple[Any, ...] = ()


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look: ``value`` with its interval from ``rows`` labelled rows. Without enough of them value and interval are NaN."""

    metric: str
    standing: Standing
    because: str
    rows: int
    limit: float
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


def alpha_of_a_look(false_alarms: Rate, step: timedelta, metrics: int = 1) -> float:
    """The part of the allowed false alarms that one look at one metric has; never over 5 %.

    >>> round(1 / alpha_of_a_look(Rate(1, timedelta(days=365)), timedelta(days=1)))
    365
    """
    return min(0.05, false_alarms.count * (step / false_alarms.period) / max(metrics, 1))


def limit_value(limit: Limit, at_gates: float | None) -> float | None:
    """The limit as a number; ``at_gates`` is the champion's figure at its gates. None where it is needed and not known."""
    if not limit.champion:
        return limit.offset
    return None if at_gates is None else at_gates + limit.offset


def look(rule: Rule, rows: pl.DataFrame, now: datetime) -> Look:
    """Look at the rows of one version.

    Args:
        rows: with ``at`` (time of the prediction), ``label`` and ``score``, of predictions whose labels have matured.
            Rows out of the window, or without a label, are passed over.

    Raises:
        UnknownName: the task has no such metric.
        UsageError: a label or score is not what the task has.
    """
    metric(rule.task, rule.metric)  # a wrong name is told even while there are no labels
    until = now - rule.delay
    kept = rows.filter(pl.col("at").is_between(until - rule.window, until, closed="left") & pl.col("label").is_not_null())
    if why := _too_few(rule, kept):
        return Look(metric=rule.metric, standing=Standing.FEW, because=why, rows=kept.height, limit=rule.limit)
    known = predictions(rule.task, kept["label"].to_numpy(), _scores(kept["score"]), rule.classes)
    measured = metric(rule.task, rule.metric)
    try:
        value = measured.value(known.label, known.score)
        low, high = _ends(rule, measured, known, window_numbers(kept["at"], rule.step))
    except UsageError as fault:
        return Look(metric=rule.metric, standing=Standing.FEW, because=fault.what, rows=kept.height, limit=rule.limit)
    higher = find(rule.metric).better is Direction.HIGHER
    standing = Standing.WORSE if (high < rule.limit if higher else low > rule.limit) else Standing.FINE
    because = f"{rule.metric} {value:.4f} [{low:.4f}, {high:.4f}] on {kept.height:,} labelled rows, limit {rule.limit:.4f}"
    return Look(metric=rule.metric, standing=standing, because=because, rows=kept.height, limit=rule.limit, value=value, low=low, high=high)


def finding(seen: Look, rule: Rule, version: int | None, now: datetime) -> Finding | None:
    """What the look found, if it did; the effect is how far the metric lies beyond its limit."""
    if seen.standing is not Standing.WORSE:
        return None
    return Finding(
        subject="performance",
        what=seen.metric,
        version=version,
        because=f"performance dropped: {seen.because}",
        effect=abs(seen.value - seen.limit),
        start=now - rule.delay - rule.window,
        end=now - rule.delay,
        numbers={"value": seen.value, "low": seen.low, "high": seen.high, "limit": seen.limit, "rows": float(seen.rows)},
    )


def _too_few(rule: Rule, rows: pl.DataFrame) -> str:
    if rows.height < LEAST_LABELS:
        return f"{rows.height} labelled rows, {LEAST_LABELS} are needed"
    if rule.task == "binary":
        counts = rows["label"].value_counts()["count"].to_list()
        rarer = min(counts) if len(counts) > 1 else 0
        if rarer < LEAST_OF_A_CLASS:
            return f"the rarer class has {rarer} labelled rows, {LEAST_OF_A_CLASS} are needed"
    return ""


def _scores(scores: pl.Series) -> NDArray[Any]:
    if isinstance(scores.dtype, pl.List | pl.Array):
        return np.array(scores.to_list(), dtype=np.float64)
    return scores.to_numpy()


def _ends(rule: Rule, measured: Metric, known: Predictions, blocks: NDArray[np.int64]) -> Ends:
    """The wider of the rows' interval and the blocks', each end for itself."""
    of_rows = interval(measured, known.label, known.score, level=1 - 2 * rule.alpha)
    names = np.unique(blocks)
    if len(names) < LEAST_BLOCKS:
        return of_rows.low, of_rows.high
    without = [measured.value(known.label[blocks != name], known.score[blocks != name]) for name in names]
    half = _half(without, rule.alpha)
    return min(of_rows.low, of_rows.estimate - half), max(of_rows.high, of_rows.estimate + half)


def _half(without: Sequence[float], alpha: float) -> float:
    """Half the width of the jackknife's interval, from the metric without each of the blocks in turn."""
    values = np.array(without)
    error = math.sqrt((len(values) - 1) / len(values) * float(((values - values.mean()) ** 2).sum()))
    return float(stdtrit(len(values) - 1, 1 - alpha)) * error
