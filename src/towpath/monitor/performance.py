"""Realised performance: how right the answers of the last weeks were, now that their labels are in.

A look takes the rows of a trailing window whose labels have matured, and the metric's interval on them. It finds
something when the whole interval of the difference from the limit is on the worse side. Looks are repeated, one a step, so
the interval is drawn at a level at which no more false alarms are made in a year than stated (each look has its part of them).
Rows of one day hang together (weather, a holiday): where there are enough days, the interval is at least as wide as the days differ.

A limit such as ``champion - 0.04`` is itself an estimate, from the holdout at the gates. Its standard error counts: the two
samples are independent, so their uncertainties add as squares (:func:`~towpath.evaluation.compare.apart`). All looks of a
champion share the one holdout; the allowed false alarms are a sum over looks, which holds however they hang together.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from towpath.errors import UsageError
from towpath.evaluation.compare import Interval, apart, interval
from towpath.evaluation.metrics import metric
from towpath.evaluation.names import Direction, find
from towpath.evaluation.predictions import Predictions, predictions
from towpath.evaluation.uncertainty import blocks, jackknife
from towpath.monitor.findings import Finding
from towpath.monitor.profile import window_numbers
from towpath.project import Limit
from towpath.quantities import Rate

LEAST_LABELS = 300  # under these a look does not judge; slices of gates have the same bar
LEAST_OF_A_CLASS = 20
NUMBERS = ("value", "low", "high", "limit", "limit_error", "beyond_low", "beyond_high", "rows")  # of a look, that its finding quotes


class Standing(StrEnum):
    """What a look says."""

    FINE = "fine"  # no part, or not the whole, of the difference's interval is on the worse side
    WORSE = "worse"  # the whole is: a finding
    FEW = "not enough labels"  # or none that determine the metric


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What to look at.

    Attributes:
        limit: the value that the metric must not be worse than.
        limit_error: its standard error; 0 for a limit that was declared as a number.
        alpha: chance that one look finds something although the metric stands at its limit; see :func:`alpha_of_a_look`.
        window: of predictions that a look covers; it ends ``delay`` before the look.
        delay: how long a label takes.
        step: from look to look; also the blocks of rows that hang together.
        classes: as the evaluation has them; empty where labels are codes or values.
    """

    task: str
    metric: str
    limit: float
    limit_error: float = 0.0
    alpha: float
    window: timedelta
    step: timedelta = timedelta(days=1)
    delay: timedelta = timedelta(0)
    classes: tuple[Any, ...] = ()


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look: ``value`` with its interval from ``rows`` labelled rows. Without enough of them these are NaN.

    ``beyond_low`` and ``beyond_high`` are the interval of value minus limit, of which both are uncertain.
    """

    metric: str
    standing: Standing
    because: str
    rows: int
    limit: float
    limit_error: float = 0.0
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    beyond_low: float = math.nan
    beyond_high: float = math.nan


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
        return _few(rule, kept, why)
    known = predictions(rule.task, kept["label"].to_numpy(), _scores(kept["score"]), rule.classes)
    try:
        realised = _realised(rule, known, blocks(window_numbers(kept["at"], rule.step)))
    except UsageError as fault:
        return _few(rule, kept, fault.what)
    beyond = apart(realised, _limit(rule))
    higher = find(rule.metric).better is Direction.HIGHER
    return Look(
        metric=rule.metric,
        standing=Standing.WORSE if (beyond.high < 0 if higher else beyond.low > 0) else Standing.FINE,
        because=_because(rule, realised, beyond),
        rows=kept.height,
        limit=rule.limit,
        limit_error=rule.limit_error,
        value=realised.estimate,
        low=realised.low,
        high=realised.high,
        beyond_low=beyond.low,
        beyond_high=beyond.high,
    )


def _few(rule: Rule, rows: pl.DataFrame, because: str) -> Look:
    return Look(
        metric=rule.metric, standing=Standing.FEW, because=because, rows=rows.height, limit=rule.limit, limit_error=rule.limit_error
    )


def _because(rule: Rule, realised: Interval, beyond: Interval) -> str:
    said = f"{rule.metric} {realised.estimate:.4f} [{realised.low:.4f}, {realised.high:.4f}] on {realised.rows:,} labelled rows"
    if not rule.limit_error:
        return f"{said}, limit {rule.limit:.4f}"
    uncertain = f"limit {rule.limit:.4f} with the standard error {rule.limit_error:.4f} of the holdout"
    return f"{said}, {uncertain}: {beyond.estimate:+.4f} [{beyond.low:+.4f}, {beyond.high:+.4f}]"


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
        numbers={name: float(getattr(seen, name)) for name in NUMBERS},
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


def _realised(rule: Rule, known: Predictions, block: NDArray[np.int64]) -> Interval:
    """The wider of the rows' interval and the blocks', each end for itself."""
    measured = metric(rule.task, rule.metric)
    of_rows = interval(measured, known.label, known.score, level=1 - 2 * rule.alpha)
    error = jackknife(measured, known.label, known.score, block)
    if math.isnan(error):
        return of_rows
    half = float(stdtrit(int(block.max()), 1 - rule.alpha)) * error
    return replace(of_rows, low=min(of_rows.low, of_rows.estimate - half), high=max(of_rows.high, of_rows.estimate + half))


def _limit(rule: Rule) -> Interval:
    half = float(ndtri(1 - rule.alpha)) * rule.limit_error
    low, high = rule.limit - half, rule.limit + half
    return Interval(estimate=rule.limit, low=low, high=high, level=1 - 2 * rule.alpha, rows=0, method="holdout")
