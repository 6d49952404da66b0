"""The canonical digest of a table: equal exactly when the tables are."""

from __future__ import annotations

import io
import struct

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing.parametric import dataframes

from towpath.data.content import of_frame
from towpath.errors import UsageError

ALLOWED = [pl.Int8, pl.Int64, pl.UInt16, pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Date, pl.Datetime("us"), pl.Duration("ms")]
LISTS = {"a": pl.List(pl.Int64)}
FRAMES = dataframes(allowed_dtypes=ALLOWED, max_size=12, max_cols=4)


@given(FRAMES, st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_chunks_and_offsets_do_not_show(frame: pl.DataFrame, at: int) -> None:
    pieces = pl.concat([frame[:at], frame[at:]], rechunk=False)
    sliced = pl.concat([frame, frame])[frame.height :]
    assert of_frame(frame) == of_frame(pieces) == of_frame(sliced)


@given(FRAMES)
@settings(max_examples=60, deadline=None)
def test_a_round_trip_through_parquet_keeps_it(frame: pl.DataFrame) -> None:
    kept = io.BytesIO()
    frame.write_parquet(kept)
    assert of_frame(pl.read_parquet(io.BytesIO(kept.getvalue()))) == of_frame(frame)


@given(dataframes(allowed_dtypes=[pl.Int64, pl.String, pl.Boolean], min_size=1, max_size=8, min_cols=1, max_cols=3), st.data())
@settings(max_examples=80, deadline=None)
def test_one_changed_value_changes_it(frame: pl.DataFrame, data: st.DataObject) -> None:
    name, row = data.draw(st.sampled_from(frame.columns)), data.draw(st.integers(0, frame.height - 1))
    values = frame[name].to_list()
    values[row] = {pl.Int64: 5, pl.String: "", pl.Boolean: False}[frame.schema[name]] if values[row] is None else None
    changed = frame.with_columns(pl.Series(name, values, dtype=frame.schema[name]))
    assert of_frame(changed) != of_frame(frame)


@given(st.lists(st.sampled_from(["a", "bb", "", "ab", "b"]), min_size=2, max_size=6), st.lists(st.sampled_from(["a", "bb", "", "ab", "b"])))
@settings(max_examples=100, deadline=None)
def test_texts_are_told_apart_where_their_bytes_run_together(one: list[str], other: list[str]) -> None:
    digests = [of_frame(pl.DataFrame({"a": pl.Series(values, dtype=pl.String)})) for values in (one, other)]
    assert (digests[0] == digests[1]) == (one == other)


def test_all_forms_of_text_are_one() -> None:
    values = ["x", None, "y"]
    forms = [pl.String(), pl.Categorical(), pl.Enum(["y", "x"])]
    assert len({of_frame(pl.DataFrame({"a": pl.Series(values, dtype=form)})) for form in forms}) == 1


def test_what_lies_under_a_null_does_not_show() -> None:
    mask = pl.Series([True, False])
    frames = [pl.DataFrame({"a": pl.Series(values).zip_with(mask, pl.Series([None, None], dtype=pl.Int64))}) for values in ([1, 2], [1, 3])]
    assert of_frame(frames[0]) == of_frame(frames[1])


def test_there_is_one_nan_and_two_zeros() -> None:
    odd = np.frombuffer(struct.pack("<Q", 0xFFF8000000000123), dtype=np.float64)
    assert of_frame(pl.DataFrame({"a": odd})) == of_frame(pl.DataFrame({"a": [float("nan")]}))
    assert of_frame(pl.DataFrame({"a": [0.0]})) != of_frame(pl.DataFrame({"a": [-0.0]}))
    assert of_frame(pl.DataFrame({"a": [float("nan")]})) != of_frame(pl.DataFrame({"a": pl.Series([None], dtype=pl.Float64)}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"b": [1]})),
        (pl.DataFrame({"a": [1], "b": [2]}), pl.DataFrame({"b": [2], "a": [1]})),
        (pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [2, 1]})),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1.0]})),
        (pl.DataFrame({"a": pl.Series([0], dtype=pl.Datetime("us", "UTC"))}), pl.DataFrame({"a": pl.Series([0], dtype=pl.Datetime("us"))})),
        (pl.DataFrame({"a": [[1], [2, 3]]}), pl.DataFrame({"a": [[1, 2], [3]]})),
        (
            pl.DataFrame({"a": [[], None]}, schema=LISTS),
            pl.DataFrame({"a": [None, []]}, schema=LISTS),
        ),
        (pl.DataFrame({"a": [{"x": 1}, None]}), pl.DataFrame({"a": [{"x": None}, {"x": 1}]})),
        (pl.DataFrame({"a": [b"\x00\x01"]}), pl.DataFrame({"a": ["0001"]})),
    ],
)
def test_what_differs_is_told_apart(one: pl.DataFrame, other: pl.DataFrame) -> None:
    assert of_frame(one) != of_frame(other)


def test_python_objects_have_no_content() -> None:
    with pytest.raises(UsageError, match="'a'"):
        of_frame(pl.DataFrame({"a": pl.Series([object()], dtype=pl.Object)}))


def test_it_is_the_same_tomorrow() -> None:
    """A new form of the digest makes every cached execution run again: change it knowingly."""
    frame = pl.DataFrame({"n": [1, None], "x": [0.5, float("nan")], "s": ["a", "é"], "b": [True, None]})
    assert of_frame(frame)[:16] == "18c27489d1a5bd1c"
