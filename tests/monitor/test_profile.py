"""Profiles: cells are cut once, counts add up, and the bytes are small."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.errors import UsageError
from towpath.monitor.profile import CATEGORIES, SCORE, Logical, count, decode, encode, merged, profile, training
from towpath.monitor.worth import counts_as, worth_of_a_window

START = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, 1.0, 2.0]))
WORDS = st.one_of(st.none(), st.sampled_from("abcdef"), st.text(max_size=3))
ROWS = st.lists(st.tuples(NUMBERS, WORDS, st.one_of(st.none(), st.booleans())), min_size=1, max_size=60)


def framed(rows: list[tuple[float | None, str | None, bool | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"km": pl.Float64, "carrier": pl.String, "late": pl.Boolean}, orient="row")


@settings(max_examples=150, deadline=None)
@given(ROWS, ROWS, st.integers(0, 60))
def test_counts_of_parts_add_up_to_counts_of_the_whole(trained, later, cut):
    known, frame = profile(framed(trained)), framed(later)
    parts = (frame[: min(cut, len(later))], frame[min(cut, len(later)) :])
    assert merged(count(known, part) for part in parts) == count(known, frame)


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_every_row_falls_into_one_cell_of_each_column_and_training_is_counted_as_any_other_rows(rows):
    known = profile(framed(rows))
    counted = count(known, framed(rows))
    assert counted == training(known)
    assert all(sum(cells) == len(rows) and len(cells) == known.columns[name].cells for name, cells in counted.columns.items())
    assert decode(encode(known)) == known


def test_values_outside_of_training_have_cells_of_their_own():
    known = profile(pl.DataFrame({"km": np.arange(1000.0), "carrier": ["UA"] * 600 + ["AA"] * 400}))
    seen = count(known, pl.DataFrame({"km": [-1.0, 0.0, 999.0, 1000.0, None, float("nan")], "carrier": ["UA", "AA", "ZZ", "ZZ", None, ""]}))
    km, carrier = seen.columns["km"], seen.columns["carrier"]
    assert (km[0], km[1], km[-3], km[-2], km[-1]) == (1, 1, 1, 1, 2)
    assert carrier == (1, 1, 3, 1)
    assert known.columns["km"].cell_name(0) == "a value below 0"
    assert known.columns["km"].cell_name(len(km) - 2) == "a value above 999"
    assert known.columns["carrier"].cell_name(0) == "'UA'"


def test_training_rows_fill_the_bins_evenly():
    column = profile(pl.DataFrame({"km": np.random.default_rng(1).lognormal(size=16_000)})).columns["km"]
    assert set(column.counts[1:-2]) == {1000}
    assert column.counts[0] == column.counts[-2] == column.counts[-1] == 0


def test_a_column_with_many_values_stays_small():
    rows = pl.DataFrame({"id": [f"N{n}" for n in range(20_000)], "x": np.arange(20_000), "when": [START] * 20_000, "list": [[1]] * 20_000})
    known = profile(rows)
    assert set(known.columns) == {"id", "x"}
    assert len(known.columns["id"].categories) == CATEGORIES
    assert len(encode(known)) < 3000


def test_the_models_score_is_profiled_beside_the_columns():
    known = profile(pl.DataFrame({"km": [1.0, 2.0]}), scores=pl.Series([0.1, 0.2, 0.9]))
    assert known.columns[SCORE].rows == 3
    seen = count(known, pl.DataFrame({"km": [1.0, 1.0]}), scores=pl.Series([0.95]))
    assert seen.columns[SCORE][-2] == 1


def test_other_types_than_in_training_are_counted_as_far_as_they_can_be_read():
    known = profile(pl.DataFrame({"km": [1, 2, 3]}))
    assert known.columns["km"].type is Logical.NUMBER
    assert count(known, pl.DataFrame({"km": ["2", "far", None]})).columns["km"][-1] == 2


def test_no_rows_are_no_profile():
    with pytest.raises(UsageError, match="no training rows"):
        profile(pl.DataFrame({"km": []}))


def test_a_window_of_independent_rows_is_worth_about_its_rows_and_one_of_clustered_rows_about_its_clusters():
    rng = np.random.default_rng(2)
    days, a_day, groups = 64, 600, 6
    windows = np.repeat(np.arange(days), a_day)
    alone = rng.integers(0, 10, days * a_day)
    together = np.repeat(rng.integers(0, 10, days * groups), a_day // groups)
    known, free = worth_of_a_window(alone, windows, 10)
    _, bound = worth_of_a_window(together, windows, 10)
    assert known == days
    assert free is None or counts_as(a_day, free) > a_day / 2
    assert bound is not None
    assert 3 < counts_as(a_day, bound) < 8


def test_a_column_that_moves_slowly_is_worth_less_than_its_days_differ():
    """Cold days come in a row: seen day by day there are six values a day, seen by the week hardly one."""
    rng = np.random.default_rng(3)
    weeks = np.repeat(rng.integers(0, 10, 26), 7 * 100)
    windows = np.repeat(np.arange(26 * 7), 100)
    _, worth = worth_of_a_window(weeks, windows, 10)
    assert worth is not None
    assert worth < 1 / 4


def test_times_place_the_rows_in_windows():
    frame = pl.DataFrame({"at": [START + timedelta(hours=h) for h in range(24 * 40)], "day": [h // 24 % 10 for h in range(24 * 40)]})
    column = profile(frame.select("day"), time=frame["at"]).columns["day"]
    assert column.windows == 40
    assert column.worth is not None
    assert column.worth < 2
    assert profile(frame.select("day"), time=frame["at"].dt.date()).columns["day"] == column
