"""Standard errors: what repeated samples show, of rows alone and of rows whose days differ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from towpath.errors import UsageError
from towpath.evaluation.metrics import metric
from towpath.evaluation.predictions import predictions
from towpath.evaluation.uncertainty import MOST_BLOCKS, blocks, jackknife, standard_error, standard_errors


def sample(seed: int, a_day: int, days: int, mood: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores and days; ``mood`` is by how much the log odds of a whole day are off."""
    rng, day = np.random.default_rng(seed), np.repeat(np.arange(days), a_day)
    signal = rng.normal(size=len(day))
    odds = signal + rng.normal(scale=mood, size=days)[day]
    return (rng.random(len(day)) < 1 / (1 + np.exp(-odds))).astype(np.int64), 1 / (1 + np.exp(-signal)), day


@pytest.mark.parametrize("name", ["auc", "log_loss", "accuracy", "f1"])
@pytest.mark.parametrize("mood", [0.0, 1.0])
def test_it_is_the_deviation_that_repeated_samples_show(name, mood):
    measured = metric("binary", name)
    drawn = [sample(seed, 40, 14, mood) for seed in range(120)]
    seen = np.std([measured.value(label, score) for label, score, _ in drawn])
    said = np.median([standard_error(measured, *one) for one in drawn[:30]])
    assert 0.85 < said / seen < 1.4  # the larger of two estimates is a little large where days do not differ


def test_days_that_differ_count_only_where_they_are_told_and_enough():
    label, score, day = sample(3, 800, 14, 1.0)
    measured = metric("binary", "log_loss")
    alone = standard_error(measured, label, score)
    assert standard_error(measured, label, score, day) > 2 * alone
    assert standard_error(measured, label, score, day // 3) == alone
    assert math.isnan(jackknife(measured, label, score, day // 3))


def test_many_windows_are_joined_with_their_neighbours():
    joined = blocks(np.arange(-7, 100))
    assert np.unique(joined).tolist() == list(range(MOST_BLOCKS))
    assert (np.diff(joined) >= 0).all()
    assert blocks(np.array([], dtype=np.int64)).tolist() == []


def test_what_the_rows_do_not_determine_is_left_out():
    label, score, day = sample(4, 50, 14, 0.0)
    every = {"auc", "log_loss", "accuracy", "brier", "f1", "precision", "recall"}
    assert standard_errors(predictions("binary", label, score), day).keys() == every
    assert standard_errors(predictions("binary", label[:20], score[:20])) == {}
    only_on_the_first_day = np.where(day == 0, label, 0)
    assert "auc" not in standard_errors(predictions("binary", only_on_the_first_day, score), day)
    with pytest.raises(UsageError, match="both classes"):
        standard_error(metric("binary", "auc"), only_on_the_first_day, score, day)
