import numpy as np
import polars as pl
import pytest

from towpath.errors import UsageError
from towpath.evaluation.compare import interval
from towpath.evaluation.metrics import metric
from towpath.evaluation.slices import by_value

RANDOM = np.random.default_rng(1)
ROWS = 2000
LABEL = RANDOM.integers(0, 2, ROWS)
SCORE = np.clip(0.3 * LABEL + 0.7 * RANDOM.uniform(size=ROWS), 0, 1)
ORIGIN = np.array(["JFK"] * 1000 + ["LGA"] * 700 + ["EWR"] * 299 + [None])


def test_each_value_has_its_own_rows_and_value():
    found = by_value(metric("binary", "auc"), LABEL, SCORE, ORIGIN)
    assert [(part.value, part.rows) for part in found] == [("JFK", 1000), ("LGA", 700), ("EWR", 299), ("null", 1)]
    first = interval(metric("binary", "auc"), LABEL[:1000], SCORE[:1000], level=0.975)  # two are judged, so 5 % is halved
    assert found[0].interval == first


def test_small_slices_and_those_of_one_class_are_named_and_not_judged():
    label = LABEL.copy()
    label[1000:1700] = 1
    found = by_value(metric("binary", "auc"), label, SCORE, ORIGIN)
    assert [part.interval is None for part in found] == [False, True, True, True]
    assert "of 700 rows 700 are positive" in found[1].because
    assert found[2].because == "299 rows are under 300"
    assert by_value(metric("binary", "accuracy"), label, SCORE, ORIGIN)[1].interval is not None


@pytest.mark.parametrize(
    "column",
    [
        pl.Series(["a", None] * 1000),
        np.array([1.0, np.nan] * 1000),
        pl.Series([True, None] * 1000),
        pl.Series(["a", None] * 1000, dtype=pl.Categorical),
    ],
)
def test_nulls_of_any_kind_are_one_slice(column):
    found = by_value(metric("binary", "auc"), LABEL, SCORE, column)
    assert [part.rows for part in found] == [1000, 1000]
    assert "null" in [part.value for part in found]


def test_a_column_of_other_rows_is_refused():
    with pytest.raises(UsageError, match="1999 rows beside 2000 labels"):
        by_value(metric("binary", "auc"), LABEL, SCORE, ORIGIN[1:])
