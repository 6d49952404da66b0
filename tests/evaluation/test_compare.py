"""Intervals hold the truth as often as they say."""

import math
import time

import numpy as np
import pytest
from scipy.stats import norm

from towpath.errors import UsageError
from towpath.evaluation import names
from towpath.evaluation.compare import LEAST_ROWS, difference, interval
from towpath.evaluation.metrics import metric

CASES = [(task, name) for task in ("binary", "regression", "multiclass") for name in names(task)]
REPEATS = 500


def draw(task, rows, random):
    """Labels and the scores of two models, of which the first is better."""
    hidden = random.normal(size=rows)
    first, second = hidden + random.normal(scale=0.6, size=rows), hidden + random.normal(scale=0.9, size=rows)
    if task == "regression":
        return 20 + 3 * hidden + random.normal(size=rows), 20 + 3 * first, 20 + 3 * second
    if task == "binary":
        return (hidden + random.logistic(size=rows) > 0.8).astype(int), _chance(first - 0.8), _chance(second - 0.8)
    label = np.searchsorted([-0.5, 0.7], hidden + random.normal(scale=0.3, size=rows))
    return label, _three(first), _three(second)


def _chance(value):
    return 1 / (1 + np.exp(-value))


def _three(value):
    odds = np.exp(-np.abs(value[:, None] - np.array([-1.2, 0.1, 1.5])))
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def many():
    """So many rows that their values may be called the truth."""
    return {task: draw(task, 400_000, np.random.default_rng(1)) for task in ("binary", "regression", "multiclass")}


@pytest.mark.parametrize(("task", "name"), CASES)
def test_an_interval_of_95_percent_holds_the_true_difference_in_95_percent(task, name, many):
    one, (label, first, second) = metric(task, name), many[task]
    truth = one.value(label, first) - one.value(label, second)
    held = 0
    for repeat in range(REPEATS):
        found = difference(one, *draw(task, 400, np.random.default_rng(repeat)), seed=repeat)
        held += found.low <= truth <= found.high
    assert 0.915 <= held / REPEATS <= 0.985  # three and a half standard errors of the count, each way


@pytest.mark.parametrize(("task", "name"), CASES)
def test_an_interval_of_one_model_holds_the_truth_too(task, name, many):
    one, (label, first, _) = metric(task, name), many[task]
    truth = one.value(label, first)
    held = 0
    for repeat in range(REPEATS):
        label, first, _ = draw(task, 400, np.random.default_rng(repeat))
        found = interval(one, label, first, seed=repeat)
        held += found.low <= truth <= found.high
    assert 0.915 <= held / REPEATS <= 0.985


def test_delong_equals_its_definition_on_all_pairs_with_ties():
    random = np.random.default_rng(3)
    label = np.r_[np.ones(40), np.zeros(70)].astype(int)
    first, second = (np.round(random.uniform(size=110) * 0.7 + label * 0.2, 1) for _ in range(2))

    def kernel(score):
        above = score[:40, None] - score[None, 40:]
        return (above > 0) + 0.5 * (above == 0)

    delta = kernel(first) - kernel(second)
    variance = delta.mean(axis=1).var(ddof=1) / 40 + delta.mean(axis=0).var(ddof=1) / 70
    found = difference(metric("binary", "auc"), label, first, second, level=0.9)
    assert found.estimate == pytest.approx(delta.mean())
    assert (found.high - found.low) / 2 == pytest.approx(norm.ppf(0.95) * math.sqrt(variance))
    assert (found.rows, found.method) == (110, "DeLong")


@pytest.mark.parametrize(("task", "name"), CASES)
def test_a_model_does_not_differ_from_itself(task, name):
    label, first, _ = draw(task, 300, np.random.default_rng(2))
    found = difference(metric(task, name), label, first, first)
    assert found.estimate == 0
    assert found.low <= 0 <= found.high
    assert found.high - found.low < 0.02


@pytest.mark.parametrize(("task", "name"), CASES)
def test_the_difference_the_other_way_round_is_the_same_with_its_sign_changed(task, name):
    label, first, second = draw(task, 300, np.random.default_rng(2))
    one, other = (difference(metric(task, name), label, *pair) for pair in ((first, second), (second, first)))
    assert one.estimate == pytest.approx(-other.estimate)
    slack = 0.15 * (one.high - one.low) if one.method == "paired bootstrap" else 1e-12
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=slack)


def test_pairing_makes_the_interval_far_narrower_than_the_models_own():
    label, first, second = draw("binary", 4000, np.random.default_rng(2))
    near = 0.98 * first + 0.02 * second
    one = metric("binary", "auc")
    alone, paired = interval(one, label, first), difference(one, label, near, first)
    assert paired.high - paired.low < 0.1 * (alone.high - alone.low)


@pytest.mark.parametrize("name", ["rmse", "mae"])
def test_a_factor_scales_the_other_model(name):
    label, first, second = draw("regression", 500, np.random.default_rng(2))
    one = metric("regression", name)
    found = difference(one, label, first, second, factor=0.5)
    assert found.estimate == pytest.approx(one.value(label, first) - 0.5 * one.value(label, second))
    none = difference(one, label, first, label, factor=0.5)  # the other makes no errors, so half of them are none too
    assert (none.low, none.high) == pytest.approx((interval(one, label, first).low, interval(one, label, first).high))
    with pytest.raises(UsageError, match="cannot be compared by a factor"):
        difference(metric("regression", "r2"), label, first, second, factor=0.5)


@pytest.mark.parametrize(("task", "name"), CASES)
def test_few_rows_decide_nothing(task, name):
    label, first, second = draw(task, LEAST_ROWS - 1, np.random.default_rng(4))
    for found in (difference(metric(task, name), label, first, second), interval(metric(task, name), label, first)):
        assert (found.low, found.high, found.method) == (-math.inf, math.inf, "too few rows")


def test_nine_positives_decide_nothing_about_auc():
    label = np.r_[np.ones(9), np.zeros(500)].astype(int)
    score = np.random.default_rng(1).uniform(size=509)
    assert math.isinf(interval(metric("binary", "auc"), label, score).high)
    label[9] = 1
    assert math.isfinite(interval(metric("binary", "auc"), label, score).high)


def test_two_models_that_never_differ_on_few_rows_are_not_called_equal_to_a_hair():
    label = np.arange(40) % 2
    found = difference(metric("binary", "accuracy"), label, label * 0.9, label * 0.8)
    assert (found.estimate, found.method) == (0, "Bonett-Price")
    assert found.high > 0.03


def test_scores_of_other_classes_are_not_paired():
    label, first, _ = draw("multiclass", 100, np.random.default_rng(1))
    with pytest.raises(UsageError, match="cannot be paired"):
        difference(metric("multiclass", "accuracy"), label, first, np.c_[first, np.zeros(100)])


def test_delong_on_a_hundred_thousand_rows_takes_a_fraction_of_a_second():
    label, first, second = draw("binary", 100_000, np.random.default_rng(2))
    start = time.perf_counter()
    difference(metric("binary", "auc"), label, first, second)
    assert time.perf_counter() - start < 2  # about 0.06 s on one core; the definition on all pairs would need gigabytes
