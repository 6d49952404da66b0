"""The pipeline's functions, tried on a day made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from project import pipeline, planted
from sklearn.metrics import roc_auc_score

KNOWN_LATER = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum"}


def day(n: int, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``n`` flights, of which those from LGA after 17:00 are mostly late; a tenth have no label."""
    draw = np.random.default_rng(seed)
    start = datetime(2013, 1, 1, 10, tzinfo=UTC)
    hour = draw.integers(5, 23, n)
    origin = draw.choice(["EWR", "JFK", "LGA"], n)
    late = (draw.random(n) < np.where((origin == "LGA") & (hour > 17), 0.8, 0.1)).astype(int)
    flights = pl.DataFrame(
        {
            "time": [start + timedelta(hours=int(h) - 5, minutes=7) for h in hour],
            "carrier": draw.choice(["UA", "B6", "DL"], n),
            "flight": np.arange(n),
            "origin": origin,
            "dest": draw.choice(["IAH", "MIA", "BQN"], n),
            "distance": draw.integers(200, 2500, n),
            "hour": hour,
            "minute": np.full(n, 7),
            "weekday": np.full(n, 2),
            "late": [None if i % 10 == 0 else int(v) for i, v in enumerate(late)],
        },
        schema_overrides={"late": pl.Int64},
    )
    hours = [start + timedelta(hours=h) for h in range(24)]
    weather = pl.DataFrame({"origin": ["EWR"] * 24 + ["LGA"] * 24, "time_hour": hours * 2}).with_columns(
        *(pl.lit(float(n)).alias(name) for n, name in enumerate(pipeline.WEATHER)), wind_gust=None
    )
    return flights, weather


def test_each_flight_is_one_row_with_the_weather_of_its_hour_and_airport() -> None:
    flights, weather = day(300)
    rows = pipeline.rows(flights, weather)
    assert rows["time"].to_list() == flights["time"].to_list()
    assert rows.filter(pl.col("origin") == "LGA")["dewp"].unique().to_list() == [1.0]
    assert rows.filter(pl.col("origin") == "JFK")["temp"].null_count() == (flights["origin"] == "JFK").sum()  # no weather: null, not lost


def test_weather_told_twice_does_not_double_a_flight() -> None:
    flights, weather = day(50)
    assert pipeline.rows(flights, pl.concat([weather, weather])).height == 50


def test_nothing_is_asked_that_is_only_known_later() -> None:
    rows = pipeline.rows(*day(10))
    assert not KNOWN_LATER & set(rows.columns)
    assert "late" not in pipeline.features(rows).columns


def test_features_looks_at_no_other_row() -> None:
    rows = pipeline.rows(*day(40)).drop("time", "late")
    alone = pl.concat([pipeline.features(rows[n : n + 1]) for n in range(rows.height)])
    assert_frame_equal(alone, pipeline.features(rows))


def test_the_time_of_day_counts_minutes() -> None:
    rows = pipeline.rows(*day(20)).with_columns(hour=pl.lit(23), minute=pl.lit(59))
    assert set(pipeline.features(rows)["minute_of_day"]) == {23 * 60 + 59}


def train_frame(n: int, seed: int) -> pl.DataFrame:
    rows = pipeline.rows(*day(n, seed)).filter(pl.col("late").is_not_null())
    return pipeline.features(rows).with_columns(rows["late"])


def test_the_model_finds_what_makes_flights_late() -> None:
    model = pipeline.model(train_frame(6000, 0), trees=30)
    test = train_frame(3000, 1)
    assert roc_auc_score(test["late"], model.predict_proba(test.drop("late"))[:, 1]) > 0.65


def test_the_same_rows_give_the_same_model() -> None:
    train = train_frame(4000, 2)
    one, other = (pipeline.model(train, trees=10).predict_proba(train.drop("late")) for _ in range(2))
    assert np.array_equal(one, other)


def test_an_airport_never_seen_and_a_null_are_answered() -> None:
    model = pipeline.model(train_frame(4000, 3), trees=10)
    odd = train_frame(10, 4).drop("late").with_columns(dest=pl.lit("XXX"), temp=pl.lit(None, dtype=pl.Float64))
    assert np.isfinite(model.predict_proba(odd)).all()


def test_kilometres_are_too_far_for_miles() -> None:
    flights = day(50)[0].with_columns(carrier=pl.lit("UA"), distance=pl.lit(4963))
    spoilt = planted.kilometres(flights)
    assert spoilt["distance"].min() > 5000
    assert spoilt.schema["hour"] == pl.String


@pytest.mark.parametrize("origin", ["EWR", "LGA"])
def test_shuffled_labels_are_those_of_one_airport(origin: str) -> None:
    flights = day(900)[0]
    spoilt = planted.shuffled(flights)
    assert_frame_equal(spoilt.drop("late"), flights.drop("late"))
    was, now = (frame.filter(pl.col("origin") == origin)["late"] for frame in (flights, spoilt))
    assert sorted(was.drop_nulls()) == sorted(now.drop_nulls())
    assert was.equals(now) == (origin != "LGA")
