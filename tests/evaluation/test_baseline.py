import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor

from towpath.errors import UsageError
from towpath.evaluation.baseline import baseline
from towpath.evaluation.metrics import metric
from towpath.evaluation.predictions import predictions

RANDOM = np.random.default_rng(1)
X = np.zeros((300, 1))


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c")])
def test_it_answers_with_the_training_shares(classes):
    label = RANDOM.choice(classes, 300)
    task = "binary" if len(classes) == 2 else "multiclass"
    peer = DummyClassifier(strategy="prior").fit(X, label).predict_proba(X)
    found = baseline(task, label, classes).scores(300)
    assert np.allclose(found, peer[:, 1] if task == "binary" else peer)
    assert predictions(task, label, found, classes).label.max() == len(classes) - 1


@pytest.mark.parametrize(("name", "strategy"), [("rmse", "mean"), ("r2", "mean"), ("mae", "median"), ("mape", "median")])
def test_a_regression_is_answered_with_the_constant_that_suits_the_metric(name, strategy):
    label = RANDOM.exponential(size=300)
    peer = DummyRegressor(strategy=strategy).fit(X, label).predict(X)
    assert np.allclose(baseline("regression", label).scores(300, name), peer)


def test_it_knows_nothing():
    label = np.array([0, 1, 1, 0, 1])
    assert metric("binary", "auc").value(label, baseline("binary", label).scores(5)) == 0.5
    values = np.array([1.0, 2.0, 4.0])
    assert metric("regression", "r2").value(values, baseline("regression", values).scores(3)) == pytest.approx(0)


def test_a_class_that_training_lacked_has_no_share():
    assert baseline("multiclass", ["a", "a"], ("a", "b", "c")).scores(1).tolist() == [[1.0, 0.0, 0.0]]
    assert baseline("binary", [0, 0]).scores(1).tolist() == [0.0]


def test_no_training_row_is_said():
    with pytest.raises(UsageError, match="no training label"):
        baseline("binary", [])
