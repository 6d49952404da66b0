"""A limit by the champion's own figure: that figure is an estimate too, and a finding counts how far it may be off."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtri

from towpath.evaluation.metrics import metric
from towpath.evaluation.uncertainty import standard_error
from towpath.monitor.performance import Rule, Standing, alpha_of_a_look, finding, look
from towpath.quantities import rate

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 14
ALPHA = alpha_of_a_look(rate("1/year"), timedelta(days=1))
AUC = metric("binary", "auc")
AFTER_DROP = 0.6  # of the signal's skill: the auc falls from .741 to .659


def fortnight(rng: np.random.Generator, a_day: int, *, end: datetime = NOW, days: int = DAYS, skill: float = 1.0) -> pl.DataFrame:
    signal = rng.normal(size=a_day * days)
    at = (end - timedelta(days=days) + timedelta(days=1) * pl.int_range(days, eager=True)).gather(np.repeat(np.arange(days), a_day))
    label = (rng.random(len(signal)) < 1 / (1 + np.exp(1 - skill * signal))).astype(int)
    return pl.DataFrame({"at": at, "label": label, "score": 1 / (1 + np.exp(1 - signal))})


def rule(holdout: pl.DataFrame, offset: float = 0.0) -> Rule:
    """The limit `champion + offset`, as the gates recorded it from that holdout."""
    label, score = holdout["label"].to_numpy(), holdout["score"].to_numpy()
    error = standard_error(AUC, label, score, holdout["at"].dt.epoch("d").to_numpy().astype(np.int64))
    limit = AUC.value(label, score) + offset
    return Rule(task="binary", metric="auc", limit=limit, limit_error=error, alpha=ALPHA, window=timedelta(days=DAYS))


def as_if_exact(rule: Rule) -> Rule:
    return Rule(task="binary", metric="auc", limit=rule.limit, alpha=ALPHA, window=rule.window)


def test_the_false_alarms_of_a_year_keep_to_the_declared_rate_where_live_is_as_the_holdout_was():
    """One look a day may alarm once a year; so of 200 looks .5 may, and 3 are no chance. Taken as exact, the holdout makes many."""
    honest = exact = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        by_holdout = rule(fortnight(rng, 25))
        for _ in range(4):
            live = fortnight(rng, 250)
            honest += look(by_holdout, live, NOW).standing is Standing.WORSE
            exact += look(as_if_exact(by_holdout), live, NOW).standing is Standing.WORSE
    assert honest <= 2
    assert exact >= 20


def test_a_drop_of_8_points_is_found_within_14_days():
    """800 labels a day, a holdout of as many: beyond `champion - 0.04` lie 4 points of it."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        by_holdout = rule(fortnight(rng, 800), offset=-0.04)
        rows = pl.concat(
            [fortnight(rng, 800), fortnight(rng, 800, end=NOW + timedelta(days=14), days=14, skill=AFTER_DROP)], how="vertical_relaxed"
        )
        standings = [look(by_holdout, rows, NOW + timedelta(days=day)).standing for day in (0, 14)]
        assert standings == [Standing.FINE, Standing.WORSE], seed


def test_the_interval_of_the_difference_is_wider_than_the_live_one_by_the_holdouts_share():
    by_holdout = rule(fortnight(np.random.default_rng(1), 25))
    live = fortnight(np.random.default_rng(2), 250, skill=0.1)
    seen, alone = look(by_holdout, live, NOW), look(as_if_exact(by_holdout), live, NOW)
    assert (seen.value, seen.low, seen.high) == (alone.value, alone.low, alone.high)
    assert alone.beyond_high == pytest.approx(alone.high - alone.limit)
    share = float(ndtri(1 - 1 / 365)) * by_holdout.limit_error
    assert seen.beyond_high == pytest.approx(seen.value - seen.limit + math.hypot(seen.high - seen.value, share))
    found = finding(seen, by_holdout, 3, NOW)
    assert found is not None
    assert "standard error" in found.because
    assert found.numbers["limit_error"] == by_holdout.limit_error
    assert "standard error" not in alone.because
