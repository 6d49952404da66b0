"""Drift: quiet where nothing moves, quick and right where something does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.monitor.drift import Watch, drift, threshold, watch_next
from towpath.monitor.profile import Profile, count, profile, training
from towpath.quantities import rate

START = datetime(2026, 1, 1, tzinfo=UTC)
YEARLY = rate("1/year")
CARRIERS = np.array(["UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX", "FL", "AS", "F9", "YV", "HA", "OO"])
SIZES = np.array([17, 16, 16, 14, 10, 8, 6, 6, 4, 1.5, 1, 0.3, 0.1, 0.05, 0.03, 0.02])
ROUTES = np.random.default_rng(0).lognormal(6.8, 0.6, 100).round()


def rows(rng: np.random.Generator, n: int, *, shift: float = 0.0, new: float = 0.0, km_of: str = "") -> pl.DataFrame:
    carrier = rng.choice(CARRIERS, n, p=SIZES / SIZES.sum())
    distance = rng.choice(ROUTES, n)
    numbers = {f"x{k}": rng.normal(size=n) for k in range(10)}
    counts = {f"n{k}": rng.poisson(1 + k, n) for k in range(4)}
    words = {f"w{k}": pl.Series(np.minimum(rng.zipf(1.5 + k / 4, n), 500)).cast(pl.String) for k in range(4)}
    frame = pl.DataFrame({"carrier": carrier, "distance": distance, **numbers, **counts, **words})
    return frame.with_columns(
        pl.col("x3") + shift,
        pl.when(pl.Series(rng.random(n) < new)).then(pl.lit("new")).otherwise("w1").alias("w1"),
        pl.when(pl.col("carrier") == km_of).then(pl.col("distance") * 1.609).otherwise("distance").alias("distance"),
    )


def trained(rng: np.random.Generator, n: int = 20_000) -> Profile:
    frame = rows(rng, n)
    return profile(frame, time=pl.Series([START - timedelta(days=90) + timedelta(days=90) * (i / n) for i in range(n)]))


def watched(known: Profile, windows: list[pl.DataFrame], watch: Watch | None = None):
    watch, found = watch or Watch(), []
    for number, window in enumerate(windows, 1):
        watch, new = watch_next(watch, known, count(known, window), version=1, end=START + timedelta(days=number), false_alarms=YEARLY)
        found += [(number, finding) for finding in new]
    return watch, found


@pytest.mark.parametrize("n", [200, 2000])
def test_sixty_quiet_days_are_quiet(n):
    """1/year over 20 columns allows .16 alarms in 60 days; in five streams more than two would be too many."""
    alarms = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        _, found = watched(trained(rng), [rows(rng, n) for _ in range(60)])
        alarms += len(found)
    assert alarms <= 2


@pytest.mark.parametrize(("n", "within"), [(300, 14), (1000, 6), (5000, 4)])
def test_a_third_of_a_standard_deviation_is_found_within_days(n, within):
    rng = np.random.default_rng(1)
    quiet, moved = [rows(rng, n) for _ in range(10)], [rows(rng, n, shift=0.3) for _ in range(within)]
    _, found = watched(trained(rng), quiet + moved)
    assert [finding.what for _, finding in found] == ["x3"]
    assert found[0][0] > 10


def test_a_new_category_and_miles_become_kilometres_for_one_carrier():
    rng = np.random.default_rng(2)
    known = trained(rng)
    _, found = watched(known, [rows(rng, 1000, new=0.06) for _ in range(10)])
    assert [finding.what for _, finding in found] == ["w1"]
    assert "a rare or new value" in found[0][1].because
    _, found = watched(known, [rows(rng, 1000, km_of="UA") for _ in range(25)])
    assert [finding.what for _, finding in found] == ["distance"]


def test_what_moved_more_comes_first():
    rng = np.random.default_rng(3)
    known = trained(rng)
    ranked = drift(known, count(known, rows(rng, 3000, shift=1.0, km_of="UA")))
    assert [one.column for one in ranked[:2]] == ["x3", "distance"]
    assert ranked[0].effect > ranked[1].effect > 0.02 > ranked[2].effect
    assert abs(ranked[0].share - 0.383) < 0.03  # 2 Φ(1/2) - 1


def test_a_column_alarms_once_for_a_champion_and_anew_for_the_next():
    rng = np.random.default_rng(4)
    known, moved = trained(rng), [rows(rng, 1000, shift=1.0) for _ in range(30)]
    watch, found = watched(known, moved)
    assert len(found) == 1
    _, again = watch_next(watch, known, count(known, moved[0]), version=2, end=START + timedelta(days=31), false_alarms=YEARLY)
    assert again == []


def test_clustered_rows_that_training_showed_to_be_clustered_do_not_alarm():
    """All rows of an hour share their weather, and the weather has a memory of some hours: 60 days of it, five times."""

    def weather(rng: np.random.Generator, days: int) -> np.ndarray:
        steps, hours = rng.normal(size=24 * days + 100), np.zeros(24 * days + 100)
        for hour in range(1, len(hours)):
            hours[hour] = 0.9 * hours[hour - 1] + steps[hour]
        return np.repeat(hours[100:], 40)

    alarms = naive = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        frame = pl.DataFrame({"temp": weather(rng, 120)})
        times = pl.Series([START + timedelta(hours=hour // 40) for hour in range(24 * 120 * 40)])
        days = [pl.DataFrame({"temp": day}) for day in np.split(weather(rng, 60), 60)]
        alarms += len(watched(profile(frame, time=times), days)[1])
        naive += len(watched(profile(frame), days)[1])
    assert alarms <= 1
    assert naive >= 4  # what it would be without


def test_the_watch_is_a_fold_and_survives_json():
    rng = np.random.default_rng(5)
    known, windows = trained(rng), [rows(np.random.default_rng(6), 500, shift=0.2) for _ in range(6)]
    whole, found = watched(known, windows)
    assert watched(known, windows) == (whole, found)
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Watch) == whole


def test_a_window_without_rows_says_nothing():
    known = trained(np.random.default_rng(7))
    watch, found = watched(known, [rows(np.random.default_rng(8), 1000).clear()] * 3)
    assert found == []
    assert all(not any(bets.wealth) for bets in watch.columns.values())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.one_of(st.none(), st.floats(-5, 5)), st.sampled_from("abc")), min_size=1, max_size=80))
def test_training_has_not_drifted_from_itself(values):
    known = profile(pl.DataFrame(values, schema={"x": pl.Float64, "w": pl.String}, orient="row"))
    assert all(one.effect == 0 and one.share < 1e-9 for one in drift(known, training(known)))


def test_the_bar_is_the_stated_rate():
    assert threshold(20, timedelta(days=7), rate("2/year")) == pytest.approx(20 * 365 / 7 / 2)
