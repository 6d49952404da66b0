"""Folds: no row is trained on and measured at once, groups stay whole, and nothing looks ahead."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit

from towpath.errors import UnknownName, UsageError
from towpath.evaluation.folds import ByGroup, Fold, Forward, Shuffled, folds

START = datetime(2013, 1, 1, tzinfo=UTC)


def table(values) -> pl.DataFrame:
    values = list(values)
    return pl.DataFrame({"row": range(len(values)), "value": values})


def check_once(made: list[Fold], rows: int) -> None:
    """Every row is measured once, and trained on whenever it is not measured."""
    assert sorted(np.concatenate([fold.test for fold in made])) == list(range(rows))
    for fold in made:
        assert sorted([*fold.train, *fold.test]) == list(range(rows))
        assert (np.diff(fold.train) > 0).all()
        assert fold.test.size


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.integers(0, 5) | st.none(), min_size=12, max_size=120), count=st.integers(2, 7), seed=st.integers(0, 99))
def test_random_folds_are_equal_to_within_a_row_and_so_is_each_stratum(values, count, seed):
    frame = table(values).with_columns(value=pl.col("value").cast(pl.Int64))
    for way in (Shuffled(count), Shuffled(count, "value")):
        made = folds(frame, way, seed=seed)
        check_once(made, len(values))
        sizes = [fold.test.size for fold in made]
        assert max(sizes) - min(sizes) <= 1
    for value in set(values):
        held = [sum(values[row] == value for row in fold.test) for fold in made]
        assert max(held) - min(held) <= 1


@settings(max_examples=60, deadline=None)
@given(groups=st.lists(st.sampled_from([*"abcdefghi", None]), min_size=8, max_size=120), count=st.integers(2, 5), seed=st.integers(0, 99))
def test_a_group_is_never_cut(groups, count, seed):
    frame = table(groups).with_columns(value=pl.col("value").cast(pl.String))
    if len(set(groups)) < count:
        with pytest.raises(UsageError, match="do not fill"):
            folds(frame, ByGroup(count, "value"), seed=seed)
        return
    made = folds(frame, ByGroup(count, "value"), seed=seed)
    check_once(made, len(groups))
    for fold in made:
        assert not {groups[row] for row in fold.train} & {groups[row] for row in fold.test}


@settings(max_examples=60, deadline=None)
@given(hours=st.lists(st.integers(0, 40), min_size=6, max_size=120), count=st.integers(2, 5))
def test_time_never_looks_ahead(hours, count):
    frame = table(START + timedelta(hours=hour) for hour in hours)
    try:
        made = folds(frame, Forward(count, "value"))
    except UsageError:
        # no two rows at one time, and one for each part: so many times always make so many folds
        assert len(set(hours)) < len(hours) or len(hours) <= count
        return
    tested = np.concatenate([fold.test for fold in made])
    assert len(set(tested)) == len(tested)
    for fold in made:
        assert fold.train.size
        assert fold.test.size
        assert max(hours[row] for row in fold.train) < min(hours[row] for row in fold.test)
    assert max(hours) in {hours[row] for row in made[-1].test}


@settings(max_examples=40, deadline=None)
@given(hours=st.lists(st.integers(0, 200), min_size=20, max_size=120, unique=True), count=st.integers(2, 4), gap=st.integers(0, 30))
def test_no_label_is_trained_on_before_it_is_known(hours, count, gap):
    frame = table(START + timedelta(hours=hour) for hour in hours)
    all_, known = folds(frame, Forward(count, "value")), []
    try:
        known = folds(frame, Forward(count, "value", timedelta(hours=gap)))
    except UsageError:
        begin = min(hours[row] for row in all_[0].test)
        assert all(hours[row] + gap > begin for row in all_[0].train)
    for mine, whole in zip(known, all_, strict=bool(known)):
        begin = min(hours[row] for row in mine.test)
        assert mine.test.tolist() == whole.test.tolist()
        assert mine.train.tolist() == [row for row in whole.train if hours[row] + gap <= begin]


def test_days_are_times_and_numbers_have_no_gap():
    days = table(START.date() + timedelta(days=day) for day in range(12))
    first = folds(days, Forward(3, "value", timedelta(days=2)))[0]
    assert (first.train.tolist(), first.test.tolist()) == ([0, 1], [3, 4, 5])
    assert folds(table(range(12)), Forward(3, "value", timedelta(days=2)))[0].train.tolist() == [0, 1, 2]


def test_folds_of_time_are_those_of_scikit_learn_where_no_two_rows_have_one_time():
    ours = folds(table(range(60)), Forward(4, "value"))
    for mine, (train, test) in zip(ours, TimeSeriesSplit(4).split(np.zeros(60)), strict=True):
        assert mine.train.tolist() == train.tolist()
        assert mine.test.tolist() == test.tolist()


def test_strata_are_as_even_as_scikit_learn_makes_them():
    values = [0] * 70 + [1] * 23 + [2] * 7
    ours = folds(table(values), Shuffled(5, "value"))
    theirs = StratifiedKFold(5).split(np.zeros(100), values)
    for stratum, held in enumerate(zip(*[np.bincount(np.array(values)[test], minlength=3) for _, test in theirs], strict=True)):
        mine = sorted(int((np.array(values)[fold.test] == stratum).sum()) for fold in ours)
        assert mine == sorted(map(int, held))


@pytest.mark.parametrize("way", [Shuffled(5), Shuffled(5, "kind"), ByGroup(5, "group")])
def test_rows_keep_their_folds_when_the_data_grow(way):
    random = np.random.default_rng(3)
    grown = pl.DataFrame(
        {"x": random.normal(size=3000), "kind": random.choice(["a", "b"], 3000), "group": [f"g{n % 200}" for n in range(3000)]}
    )
    before, after = folds(grown.head(2000), way, seed=5), folds(grown, way, seed=5)
    kept = sum(len(set(was.test) & set(now.test)) for was, now in zip(before, after, strict=True))
    assert kept >= 0.9 * 2000


def test_the_same_rows_in_another_order_have_the_same_folds():
    frame = table(np.random.default_rng(1).normal(size=50))
    turned = frame.reverse()
    for was, now in zip(folds(frame, Shuffled(4)), folds(turned, Shuffled(4)), strict=True):
        assert set(frame[was.test.tolist()]["row"]) == set(turned[now.test.tolist()]["row"])


@pytest.mark.parametrize("way", [Shuffled(4), Shuffled(4, "value"), ByGroup(4, "value")])
def test_another_seed_makes_other_folds(way):
    frame = table(f"g{n % 20}" for n in range(60))
    assert any((a.test.tolist() != b.test.tolist()) for a, b in zip(folds(frame, way, seed=1), folds(frame, way, seed=2), strict=True))


def test_one_large_group_leaves_rows_for_every_fold():
    made = folds(table(["big"] * 90 + ["a"] * 4 + ["b"] * 3 + ["c"] * 3), ByGroup(4, "value"))
    assert sorted(fold.test.size for fold in made) == [3, 3, 4, 90]


@pytest.mark.parametrize(
    ("way", "says"),
    [
        (Shuffled(1), "1 folds leave nothing"),
        (Shuffled(9), "3 rows do not fill 9 folds"),
        (Shuffled(2, "valu"), "did you mean value"),
        (ByGroup(4, "value"), "2 groups by value do not fill 4"),
        (Forward(2, "value"), "not times"),
        (Forward(3, "row"), "3 rows at 3 times by row do not make 3 folds"),
        (Forward(2, "at"), "1 of 3 rows have no at"),
    ],
)
def test_folds_that_cannot_be_are_refused(way, says):
    frame = pl.DataFrame({"row": [0, 1, 2], "value": ["a", "b", "b"], "at": [START, None, START]})
    with pytest.raises(UsageError) as caught:
        folds(frame, way)
    assert says in str(caught.value)
    assert not isinstance(caught.value, UnknownName) or caught.value.kind == "column"
