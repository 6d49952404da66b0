"""The two forms of a frame, and the schema that a request is checked against."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.errors import UsageError
from towpath.formats import BadColumn, Column, Schema, check_columns
from towpath.formats import frames as fr

NUMBERS = st.none() | st.floats(allow_infinity=False) | st.sampled_from([float("inf"), float("nan"), -0.0])
FRAMES = st.lists(
    st.tuples(NUMBERS, st.none() | st.text(max_size=3), st.none() | st.booleans(), st.none() | st.integers(-(2**40), 2**40))
).map(lambda rows: pl.DataFrame(rows, schema={"x": pl.Float64, "s": pl.String, "b": pl.Boolean, "i": pl.Int64}, orient="row"))


@given(FRAMES)
def test_canonical_is_idempotent_and_a_float32_holds_every_number(frame):
    once = fr.canonical(frame)
    assert fr.canonical(once).equals(once, null_equal=True)
    assert once.dtypes == [pl.Float64, pl.String, pl.Float64, pl.Float64]
    for name in ("x", "b", "i"):
        values = once[name].to_numpy()
        np.testing.assert_array_equal(values, values.astype(np.float32).astype(np.float64))
    assert once.null_count().sum_horizontal().sum() == 0


@given(FRAMES)
def test_a_scorer_is_given_the_same_values_as_training(frame):
    direct, through = fr.columns_of(frame), fr.columns_of(fr.canonical(frame))
    assert direct["s"] == through["s"]
    for name in ("x", "b", "i"):
        np.testing.assert_array_equal(direct[name], through[name])


@given(FRAMES)
def test_rows_survive_the_way_through_a_request(frame):
    raw = fr.requested(frame)
    back = fr.frame_of(fr.schema_of(raw), fr.json_columns(raw))
    assert back.equals(fr.travelling(raw), null_equal=True)
    assert back.schema == raw.schema


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([datetime(2013, 5, 3, 14), None], pl.Datetime("ms")),
        ([datetime(2013, 5, 3, 10, tzinfo=ZoneInfo("America/New_York")), None], pl.Datetime("ns", "America/New_York")),
    ],
)
def test_times_become_utc_and_travel_as_text(values, dtype):
    raw = fr.requested(pl.DataFrame({"t": pl.Series(values, dtype=dtype)}))
    assert raw["t"].to_list() == [datetime(2013, 5, 3, 14, tzinfo=UTC), None]
    assert fr.json_columns(raw) == {"t": ["2013-05-03T14:00:00Z", None]}
    assert fr.frame_of(fr.schema_of(raw), fr.json_columns(raw)).equals(raw, null_equal=True)
    assert fr.frame_of(fr.schema_of(raw), {"t": ["2013-05-03T10:00:00-04:00", None]}).equals(raw, null_equal=True)


def test_dates_and_lone_nulls_are_times_too():
    raw = fr.requested(pl.DataFrame({"t": [date(2013, 5, 3)]}))
    assert raw["t"].to_list() == [datetime(2013, 5, 3, tzinfo=UTC)]
    schema = Schema((Column(name="t", type="time"),))
    assert fr.frame_of(schema, {"t": [None]})["t"].dtype == raw["t"].dtype
    assert fr.frame_of(schema, {"t": [datetime(2013, 5, 3, tzinfo=UTC)]}).equals(raw)


def test_every_form_of_text_is_text():
    frame = pl.DataFrame({"a": pl.Series(["x", None], dtype=pl.Categorical), "b": pl.Series(["x", None], dtype=pl.Enum(["x"]))})
    assert fr.canonical(frame).rows() == [("x", "x"), ("", "")]
    assert fr.schema_of(frame).columns[0] == Column(name="a", type="string", nullable=True, categories=("x",))


def test_many_distinct_texts_are_no_categories():
    assert fr.schema_of(pl.DataFrame({"s": [str(n) for n in range(101)]})).columns[0].categories is None
    assert len(fr.schema_of(pl.DataFrame({"s": [str(n) for n in range(100)]})).columns[0].categories or ()) == 100


def test_the_label_is_left_as_it_is():
    assert fr.canonical(pl.DataFrame({"late": [True], "x": [1]}), label="late").dtypes == [pl.Boolean, pl.Float64]


def test_a_time_cannot_go_into_a_model():
    with pytest.raises(BadColumn, match=r"'sched'.*cannot go into a model") as caught:
        fr.canonical(pl.DataFrame({"sched": [datetime(2013, 1, 1)]}))
    assert "features" in caught.value.mend


@pytest.mark.parametrize("values", [[[1, 2]], [{"a": 1}], [b"x"]])
def test_what_cannot_travel_in_a_request_is_named(values):
    with pytest.raises(BadColumn, match="'odd'"):
        fr.requested(pl.DataFrame({"odd": values}))


SCHEMA = Schema(
    (
        Column(name="distance", type="number", nullable=False),
        Column(name="hour", type="integer"),
        Column(name="origin", type="string", categories=("EWR", "JFK")),
        Column(name="night", type="boolean"),
        Column(name="sched", type="time"),
    )
)
GOOD = {"distance": [1, 2.5], "hour": [5, None], "origin": ["JFK", "new"], "night": [True, None], "sched": ["2013-01-01T05:00:00Z", None]}


def test_a_good_request_becomes_a_frame():
    assert check_columns(SCHEMA, GOOD) == 2
    frame = fr.frame_of(SCHEMA, GOOD)
    assert frame.dtypes == [pl.Float64, pl.Int64, pl.String, pl.Boolean, pl.Datetime("us", "UTC")]
    fr.check_frame(SCHEMA, frame)


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        ({"distance": [1, None]}, "distance", "row 1 is null"),
        ({"distance": [1, True]}, "distance", "row 1 is True, which is no number"),
        ({"distance": [1]}, "hour", "2 values, the columns before it 1"),
        ({"hour": [1.5, 2]}, "hour", "1.5, which is no integer"),
        ({"origin": [5, "JFK"]}, "origin", "row 0 is 5, which is no text"),
        ({"night": [0, 1]}, "night", "which is no boolean"),
        ({"sched": ["soon", None]}, "sched", "'soon', which is no ISO 8601 time"),
        ({"distanse": [1, 2]}, "distanse", "no such column"),
        ({"hour": None}, "hour", "missing"),
    ],
)
def test_a_bad_request_names_the_field(change, column, says):
    request = {name: values for name, values in (GOOD | change).items() if values is not None}
    with pytest.raises(BadColumn, match=says) as caught:
        fr.frame_of(SCHEMA, request)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        (pl.lit("far").alias("distance"), "distance", "the schema says number"),
        (pl.lit(None, dtype=pl.Float64).alias("distance"), "distance", "2 of 2 rows are null"),
        (pl.lit(1).alias("extra"), "extra", "no such column"),
    ],
)
def test_a_bad_frame_names_the_column(change, column, says):
    with pytest.raises(BadColumn, match=says) as caught:
        fr.check_frame(SCHEMA, fr.frame_of(SCHEMA, GOOD).with_columns(change))
    assert caught.value.column == column


def test_a_frame_may_carry_integers_for_numbers():
    fr.check_frame(Schema((Column(name="x", type="number"),)), pl.DataFrame({"x": [1, 2]}))


def takes_polars(rows: pl.DataFrame, *, k: int = 1) -> pl.DataFrame: ...
def takes_pandas(rows: pd.DataFrame) -> pd.DataFrame: ...
def takes_arrow(rows: pa.Table) -> pa.Table: ...
def takes_anything(rows): ...


@pytest.mark.parametrize(
    ("function", "kind", "made"),
    [
        (takes_polars, "polars", pl.DataFrame),
        (takes_pandas, "pandas", pd.DataFrame),
        (takes_arrow, "arrow", pa.Table),
        (takes_anything, "polars", pl.DataFrame),
    ],
)
def test_a_frame_arrives_as_the_annotation_says_and_comes_back_the_same(function, kind, made):
    assert fr.kind_of(function) == kind
    frame = pl.DataFrame({"s": ["a", None, ""], "x": [1.5, None, 2.0]})
    given_frame = fr.as_annotated(frame, function.__annotations__.get("rows"))
    assert isinstance(given_frame, made)
    back = fr.as_polars(given_frame, source="`f`")
    assert fr.canonical(back).equals(fr.canonical(frame), null_equal=True)


def test_a_lazy_frame_is_collected_and_no_frame_is_refused():
    assert fr.as_polars(pl.LazyFrame({"x": [1]}), source="`f`").height == 1
    with pytest.raises(UsageError, match="`f` gave a dict"):
        fr.as_polars({"x": [1]}, source="`f`")


def test_an_all_null_column_keeps_the_type_of_training():
    inputs = Schema((Column(name="s", type="string"), Column(name="x", type="number")))
    columns = fr.columns_of(pl.DataFrame({"x": [None], "s": [None], "more": [1]}), inputs)
    assert list(columns) == ["s", "x"]
    assert columns["s"] == [""]
    assert np.isnan(columns["x"]).all()
    with pytest.raises(BadColumn, match="in training it was number"):
        fr.columns_of(pl.DataFrame({"x": ["1"], "s": ["a"]}), inputs)
    with pytest.raises(BadColumn, match="no such column"):
        fr.columns_of(pl.DataFrame({"x": [1.0]}), inputs)
