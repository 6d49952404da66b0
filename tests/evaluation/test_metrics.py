"""Metrics equal scikit-learn's, whatever the rows."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peers

from towpath.errors import UnknownName, UsageError
from towpath.evaluation import names
from towpath.evaluation.metrics import Form, measure, metric
from towpath.evaluation.predictions import predictions

BINARY = {
    "auc": peers.roc_auc_score,
    "log_loss": lambda label, score: peers.log_loss(label, score, labels=[0, 1]),
    "accuracy": lambda label, score: peers.accuracy_score(label, score > 0.5),
    "brier": peers.brier_score_loss,
    "f1": lambda label, score: peers.f1_score(label, score > 0.5, zero_division=0),
    "precision": lambda label, score: peers.precision_score(label, score > 0.5, zero_division=0),
    "recall": lambda label, score: peers.recall_score(label, score > 0.5, zero_division=0),
}
VALUES = {
    "rmse": peers.root_mean_squared_error,
    "mae": peers.mean_absolute_error,
    "mape": peers.mean_absolute_percentage_error,
    "r2": peers.r2_score,
}
CLASSES = {
    "log_loss": lambda label, score: peers.log_loss(label, score, labels=range(score.shape[1])),
    "accuracy": lambda label, score: peers.accuracy_score(label, score.argmax(axis=1)),
    "macro_f1": lambda label, score: peers.f1_score(label, score.argmax(axis=1), average="macro", zero_division=0),
}
seeds = st.integers(0, 2**32 - 1)


def test_every_metric_of_a_task_has_a_peer_here():
    assert [set(names(task)) for task in ("binary", "regression", "multiclass")] == [set(BINARY), set(VALUES), set(CLASSES)]


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=25, deadline=None)
@given(seed=seeds, rows=st.integers(2, 200), grid=st.sampled_from([2, 5, 1000]), dtype=st.sampled_from(["float32", "float64"]))
def test_binary_metrics_are_scikit_learns_with_and_without_ties(name, seed, rows, grid, dtype):
    random = np.random.default_rng(seed)
    label = np.r_[0, 1, random.integers(0, 2, rows - 2)]
    score = (random.integers(0, grid + 1, rows) / grid).astype(dtype)
    found = metric("binary", name).value(*_checked("binary", label, score))
    assert found == pytest.approx(BINARY[name](label, score), rel=1e-5 if dtype == "float32" else 1e-12, abs=1e-12)


@pytest.mark.parametrize("name", VALUES)
@settings(max_examples=25, deadline=None)
@given(seed=seeds, rows=st.integers(2, 200))
def test_regression_metrics_are_scikit_learns(name, seed, rows):
    random = np.random.default_rng(seed)
    label, score = random.normal(5, 2, rows), random.normal(5, 2, rows)
    assert metric("regression", name).value(label, score) == pytest.approx(VALUES[name](label, score), rel=1e-12)


@pytest.mark.parametrize("name", CLASSES)
@settings(max_examples=25, deadline=None)
@given(seed=seeds, rows=st.integers(1, 200), k=st.integers(3, 5))
def test_multiclass_metrics_are_scikit_learns(name, seed, rows, k):
    random = np.random.default_rng(seed)
    label, score = random.integers(0, k, rows), random.dirichlet(np.ones(k), rows)
    assert metric("multiclass", name).value(label, score) == pytest.approx(CLASSES[name](label, score), rel=1e-12)


@pytest.mark.parametrize(("task", "name"), [(task, name) for task in ("binary", "regression", "multiclass") for name in names(task)])
def test_a_metric_of_rows_is_the_mean_of_its_rows(task, name):
    found = metric(task, name)
    if found.rows is None:
        assert found.form in (Form.RANK, Form.COUNTS)
        return
    label, score = _some(task)
    mean = found.rows(label, score).mean()
    made = {Form.ROOT: math.sqrt(mean), Form.SPREAD: 1 - mean / label.var()}
    assert found.value(label, score) == pytest.approx(made.get(found.form, mean))


@pytest.mark.parametrize(("task", "name"), [(task, name) for task in ("binary", "regression", "multiclass") for name in names(task)])
def test_the_direction_of_a_metric_is_the_one_in_which_the_truth_is_best(task, name):
    label, score = _some(task)
    truth = label if task == "regression" else (label.astype(float) if task == "binary" else np.eye(3)[label])
    better, worse = metric(task, name).value(label, truth), metric(task, name).value(label, score)
    assert (better > worse) == (metric(task, name).better == "higher")
    assert better != worse


def test_words_are_encoded_in_the_order_of_the_classes():
    found = predictions("binary", ["late", "on time", "late"], [0.1, 0.2, 0.3], ["on time", "late"])
    assert found.label.tolist() == [1, 0, 1]
    assert predictions("binary", [True, False], [[0.9, 0.1], [0.2, 0.8]]).score.tolist() == [0.1, 0.8]
    assert predictions("multiclass", [2, 1], [[0.1, 0.1, 0.8]] * 2, [0, 1, 2]).label.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("task", "label", "score", "classes", "says"),
    [
        ("binary", [0, 1], [0.5, math.nan], (), "1 of 2 scores are not finite numbers; the first is in row 1"),
        ("binary", [0, None], [0.5, 0.5], (), "labels are not finite"),
        ("binary", [0, 1], [0.5, 1.5], (), "no probabilities"),
        ("binary", [0, 1, 1], [0.5, 0.5], (), "3 labels beside 2 scores"),
        ("binary", [0, 2], [0.5, 0.5], (), "no codes of 2 classes"),
        ("binary", [0, 0.5], [0.5, 0.5], (), "no class codes"),
        ("binary", [], [], (), "no row"),
        ("binary", ["a", "b"], [0.5, 0.5], (), "not numbers"),
        ("binary", ["a", "c"], [0.5, 0.5], ("a", "b"), "the first is 'c' in row 1"),
        ("binary", [0, 1], [[0.5]] * 2, (), "shape (2, 1)"),
        ("multiclass", [0, 1], [0.5, 0.5], (), "needs (rows, classes)"),
        ("multiclass", [0, 1], [[0.5, 0.6, 0.1]] * 2, (), "miss the sum 1"),
        ("multiclass", [0, 1], [[0.5, 0.4, 0.1]] * 2, (0, 1), "of 3 classes, but 2 are named"),
        ("regression", [1.0, math.inf], [1.0, 1.0], (), "labels are not finite"),
        ("ranking", [1.0], [1.0], (), "no task called 'ranking'"),
    ],
)
def test_what_cannot_be_evaluated_is_named(task, label, score, classes, says):
    with pytest.raises(UsageError) as caught:
        predictions(task, label, score, classes)
    assert says in str(caught.value)
    assert caught.value.mend


@pytest.mark.parametrize(
    ("task", "name", "label", "score", "says"),
    [
        ("binary", "auc", [1, 1, 1], [0.1, 0.2, 0.3], "of 3 rows 3 are positive"),
        ("regression", "r2", [2.0, 2.0], [1.0, 2.0], "all 2 labels are 2"),
        ("regression", "mape", [0.0, 2.0], [1.0, 2.0], "1 of 2 labels are 0"),
    ],
)
def test_rows_that_do_not_determine_a_metric_are_said_and_left_out_of_the_figures(task, name, label, score, says):
    given_rows = predictions(task, label, score)
    with pytest.raises(UsageError, match=says):
        metric(task, name).value(given_rows.label, given_rows.score)
    assert set(measure(given_rows)) == set(names(task)) - {name}


def test_an_unknown_metric_gets_the_nearest():
    with pytest.raises(UnknownName, match="rmse"):
        metric("regression", "rmsee")


def test_float32_probabilities_a_hair_outside_are_clipped():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = predictions("binary", [0, 1], np.array([-1e-7, 1 + 1e-6], dtype=np.float32))
    assert (found.score.min(), found.score.max(), found.score.dtype) == (0, 1, np.float32)


def _checked(task, label, score):
    found = predictions(task, label, score)
    return found.label, found.score


def _some(task):
    random = np.random.default_rng(5)
    if task == "regression":
        return random.normal(5, 1, 200), random.normal(5, 1, 200)
    if task == "binary":
        return random.integers(0, 2, 200), random.uniform(size=200)
    return random.integers(0, 3, 200), random.dirichlet(np.ones(3), 200)
