"""A holdout is the same every time, and no row is on both sides or on neither."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.errors import UnknownName, UsageError
from towpath.evaluation import Groups, Last, Random
from towpath.evaluation.splits import split

START = datetime(2013, 1, 1, tzinfo=UTC)
FRAME = pl.DataFrame(
    {
        "row": range(400),
        "time": [START + timedelta(hours=6 * hour) for hour in range(400)],
        "late": [number % 10 == 0 for number in range(400)],
        "plane": [f"N{number % 37}" if number % 37 else None for number in range(400)],
    }
)
WAYS = [Last("time", timedelta(days=14)), Random(0.2), Random(0.2, "late"), Random(0.3, "plane"), Groups("plane", 0.25)]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_each_row_is_on_one_side_in_its_order_and_always_the_same(way):
    train, test = split(FRAME, way, seed=3)
    assert sorted([*train["row"], *test["row"]]) == list(range(400))
    assert train["row"].is_sorted()
    assert test["row"].is_sorted()
    again = split(FRAME, way, seed=3)
    assert train.equals(again[0])
    assert test.equals(again[1])


@pytest.mark.parametrize("way", WAYS[1:], ids=str)
def test_another_seed_gives_another_holdout(way):
    assert not split(FRAME, way, seed=1)[1].equals(split(FRAME, way, seed=2)[1])


def test_the_last_days_are_counted_from_the_latest_row():
    train, test = split(FRAME.sample(fraction=1, shuffle=True, seed=1), Last("time", timedelta(days=14)))
    assert test.height == 4 * 14
    assert train["time"].max() < test["time"].min()


def test_dates_and_naive_times_will_do():
    frame = FRAME.with_columns(day=pl.col("time").dt.date(), naive=pl.col("time").dt.replace_time_zone(None))
    assert split(frame, Last("day", timedelta(days=2)))[1]["day"].unique().sort().to_list() == [date(2013, 4, 9), date(2013, 4, 10)]
    assert split(frame, Last("naive", timedelta(days=14)))[1].height == 56


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0.05, 0.95), strata=st.lists(st.integers(0, 4), min_size=40, max_size=200), seed=st.integers(0, 1000))
def test_each_stratum_has_its_share_to_within_a_row(share, strata, seed):
    frame = pl.DataFrame({"stratum": strata})
    _, test = split(frame, Random(share, "stratum"), seed=seed)
    assert abs(test.height - share * len(strata)) < 1
    for stratum in set(strata):
        assert abs(test["stratum"].to_list().count(stratum) - share * strata.count(stratum)) < 1


def test_groups_are_never_torn_apart_and_stay_where_they_are_when_rows_are_added():
    train, test = split(FRAME, Groups("plane", 0.25), seed=3)
    assert not set(train["plane"]) & set(test["plane"])
    grown = pl.concat([FRAME, FRAME.with_columns(plane=pl.lit("new"))])
    assert set(test["plane"]) == set(split(grown, Groups("plane", 0.25), seed=3)[1]["plane"]) - {"new"}


@pytest.mark.parametrize("seed", range(12))
def test_two_groups_are_enough(seed):
    frame = pl.DataFrame({"origin": ["JFK"] * 5 + ["LGA"] * 5})
    train, test = split(frame, Groups("origin", 0.2), seed=seed)
    assert (train.height, test.height) == (5, 5)


@pytest.mark.parametrize(
    ("way", "says"),
    [
        (Last("time", timedelta(days=400)), "holds all 400 rows"),
        (Last("row", timedelta(days=4)), "not times"),
        (Last("tme", timedelta(days=4)), "did you mean time"),
        (Random(0.2, "lat"), "did you mean late"),
        (Groups("plan"), "did you mean plane"),
        (Groups("constant"), "holds no row"),
    ],
)
def test_a_holdout_that_cannot_be_is_refused(way, says):
    with pytest.raises(UsageError) as caught:
        split(FRAME.with_columns(constant=pl.lit(1)), way)
    assert says in str(caught.value)


def test_a_row_without_a_time_is_said():
    frame = FRAME.with_columns(time=pl.when(pl.col("row") == 7).then(None).otherwise(pl.col("time")))
    with pytest.raises(UsageError, match="1 of 400 rows have no time"):
        split(frame, Last("time", timedelta(days=1)))


def test_an_empty_frame_and_an_empty_side_are_refused():
    with pytest.raises(UsageError, match="holds no row of 0"):
        split(FRAME.head(0), Random(0.2))
    with pytest.raises(UsageError, match="leaves one side empty"):
        Random(1.0)
    with pytest.raises(UsageError, match="holds no row"):
        Last("time", timedelta(0))
    with pytest.raises(UnknownName):
        split(FRAME, Groups("nothing"))


@pytest.mark.parametrize("way", [Random(0.2), Random(0.2, "group")])
def test_rows_keep_their_side_when_the_data_grows(way: Random) -> None:
    """A champion must not be judged on rows that it was trained on: but for a few near the limit, none changes sides."""
    random = np.random.default_rng(3)
    grown = pl.DataFrame({"x": random.normal(size=3000), "group": random.choice(["a", "b"], 3000)})
    _, before = split(grown.head(2000), way, seed=5)
    train, _ = split(grown, way, seed=5)
    moved = before.join(train, on=["x", "group"], how="inner").height
    assert moved <= 0.1 * before.height
