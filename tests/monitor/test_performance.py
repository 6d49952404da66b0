"""Realised performance: judged on enough matured labels, honest under daily looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from towpath.errors import UnknownName
from towpath.evaluation.compare import interval
from towpath.evaluation.metrics import metric
from towpath.monitor.performance import Rule, Standing, alpha_of_a_look, finding, limit_value, look
from towpath.project import Limit
from towpath.project_reading import read
from towpath.quantities import rate

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALPHA = alpha_of_a_look(rate("1/year"), timedelta(days=1))


def rule(metric: str, limit: float, task: str = "binary", **more) -> Rule:
    return Rule(task=task, metric=metric, limit=limit, alpha=ALPHA, window=timedelta(days=14), **more)


def binary(rng: np.random.Generator, a_day: int, *, skill: float = 1.0, mood: float = 0.0, days: int = 14) -> pl.DataFrame:
    """``mood``: by how much the log odds of a whole day are off."""
    n = a_day * days
    day, signal = np.repeat(np.arange(days), a_day), rng.normal(size=n)
    odds = skill * signal - 1 + np.repeat(rng.normal(scale=mood, size=days), a_day)
    return pl.DataFrame(
        {
            "at": [NOW - timedelta(days=days) + timedelta(days=int(d), seconds=k % a_day) for k, d in enumerate(day)],
            "label": (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int),
            "score": 1 / (1 + np.exp(-(signal - 1))),
        }
    )


def test_a_model_that_lost_its_skill_is_found_and_one_that_kept_it_is_not():
    rng = np.random.default_rng(1)
    kept, lost = (look(rule("auc", 0.70), binary(rng, 500, skill=skill), NOW) for skill in (1.0, 0.3))
    assert (kept.standing, lost.standing) == (Standing.FINE, Standing.WORSE)
    assert kept.low < kept.value < kept.high
    seen = finding(lost, rule("auc", 0.70), 4, NOW)
    assert seen is not None
    assert (seen.subject, seen.what, seen.version, seen.start) == ("performance", "auc", 4, NOW - timedelta(days=14))
    assert seen.effect == pytest.approx(0.70 - lost.value)
    assert finding(kept, rule("auc", 0.70), 4, NOW) is None


def test_lower_is_better_for_a_loss():
    rng = np.random.default_rng(2)
    rows = pl.DataFrame({"at": [NOW - timedelta(days=1)] * 400, "label": rng.normal(size=400), "score": np.zeros(400)})
    assert look(rule("mae", 0.5, "regression"), rows, NOW).standing is Standing.WORSE
    assert look(rule("mae", 1.0, "regression"), rows, NOW).standing is Standing.FINE


def test_without_enough_labels_nothing_is_judged():
    rng = np.random.default_rng(3)
    few = look(rule("auc", 0.99), binary(rng, 20), NOW)
    assert (few.standing, few.because) == (Standing.FEW, "280 labelled rows, 300 are needed")
    one_sided = binary(rng, 100).with_columns(label=0)
    assert look(rule("auc", 0.99), one_sided, NOW).because == "the rarer class has 0 labelled rows, 20 are needed"
    assert look(rule("auc", 0.99), binary(rng, 100).clear(), NOW).standing is Standing.FEW


def test_rows_out_of_the_window_or_without_a_label_do_not_count():
    rows = binary(np.random.default_rng(4), 100, days=28)
    assert look(rule("auc", 0.5), rows, NOW).rows == 1400
    assert look(rule("auc", 0.5, delay=timedelta(days=7)), rows, NOW).rows == 1400
    unlabelled = rows.with_columns(label=pl.when(pl.int_range(pl.len()) % 2 == 0).then("label"))
    assert look(rule("auc", 0.5), unlabelled, NOW).rows == 700


def test_days_that_differ_widen_the_interval():
    """Whole days on which nearly all are late. The loss of 4,000 such days is the truth that no fortnight may be found to exceed."""
    many = binary(np.random.default_rng(99), 20, mood=1.0, days=4000)
    truth = metric("binary", "log_loss").value(many["label"].to_numpy(), many["score"].to_numpy())
    alarms = naive = 0
    for seed in range(60):
        rows = binary(np.random.default_rng(seed), 200, mood=1.0)
        alarms += look(rule("log_loss", truth), rows, NOW).standing is Standing.WORSE
        alone = interval(metric("binary", "log_loss"), rows["label"].to_numpy(), rows["score"].to_numpy(), level=1 - 2 * ALPHA)
        naive += alone.low > truth
    assert alarms <= 1
    assert naive >= 5


def test_a_year_of_looks_at_a_model_on_its_limit_finds_at_most_what_is_stated():
    """Independent fortnights exactly at the limit: one look in 365 may be wrong; of 300 more than 5 would not be chance."""
    rng, found = np.random.default_rng(5), 0
    for _ in range(300):
        rows = pl.DataFrame(
            {
                "at": [NOW - timedelta(days=d % 14, seconds=1) for d in range(700)],
                "label": (rng.random(700) < 0.3).astype(int),
                "score": np.zeros(700),
            }
        )
        found += look(rule("accuracy", 0.7), rows, NOW).standing is Standing.WORSE
    assert found <= 5


def test_several_classes():
    rng = np.random.default_rng(6)
    label = rng.choice(["a", "b", "c"], 600)
    score = [[1.0 * (kind == said) for kind in "abc"] for said in np.where(rng.random(600) < 0.8, label, "a")]
    rows = pl.DataFrame({"at": [NOW - timedelta(days=1)] * 600, "label": label, "score": score})
    seen = look(rule("accuracy", 0.95, "multiclass", classes=("a", "b", "c")), rows, NOW)
    assert seen.standing is Standing.WORSE
    assert 0.8 < seen.value < 0.92


def test_a_wrong_name_is_told_before_there_are_labels():
    with pytest.raises(UnknownName, match="acc"):
        look(rule("acuracy", 0.5), binary(np.random.default_rng(7), 1), NOW)


def test_limits():
    assert limit_value(read(Limit, "champion - 0.04"), 0.7) == pytest.approx(0.66)
    assert limit_value(read(Limit, "0.6"), None) == 0.6
    assert limit_value(read(Limit, "champion"), None) is None
    assert alpha_of_a_look(rate("1/year"), timedelta(days=1), 2) == pytest.approx(1 / 730)
