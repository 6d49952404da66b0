"""A request's way through a version gives the same numbers by rows as by columns, whatever the values are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.serving.conftest import ROW, Packages

from towpath.formats import Column, Schema
from towpath.formats.frames import columns_of, frame_of
from towpath.formats.scorer import _numbers, _texts
from towpath.serving.model import FEW_ROWS, loaded, plain_columns, small_frame

KINDS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=6),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9),
    "boolean": st.booleans(),
    "time": st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))])).map(
        datetime.isoformat
    ),
}
SCHEMA = Schema(tuple(Column(name=kind, type=kind) for kind in KINDS))  # type: ignore[arg-type]
rows = st.lists(st.fixed_dictionaries({kind: st.none() | values for kind, values in KINDS.items()}), min_size=1, max_size=4)


@given(rows)
@settings(deadline=None)
def test_a_small_frame_is_the_same_frame(given_rows: list[dict[str, Any]]) -> None:
    columns = {kind: [row[kind] for row in given_rows] for kind in KINDS}
    if all(value is None for value in columns["time"]):
        columns["time"][0] = "2013-05-03T14:00:00Z"
    assert_frame_equal(small_frame(SCHEMA, columns), frame_of(SCHEMA, columns))


@given(rows)
@settings(deadline=None)
def test_plain_columns_reach_the_model_as_the_same_numbers(given_rows: list[dict[str, Any]]) -> None:
    columns = {kind: [row[kind] for row in given_rows] for kind in KINDS}
    frame = small_frame(SCHEMA, columns).drop("time")
    plain, usual = plain_columns(frame), columns_of(frame)
    assert (_texts("string", plain["string"]) == _texts("string", usual["string"])).all()
    for name in ("integer", "number", "boolean"):
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(_numbers(name, plain[name]), _numbers(name, usual[name]), rtol=2e-7)


def test_a_few_rows_and_many_are_answered_alike(packages: Packages) -> None:
    model = loaded(packages.store, packages.versions[1])
    many = {name: [value] * (FEW_ROWS + 1) for name, value in ROW.items()}
    few = model.scores({name: [value] for name, value in ROW.items()}).values
    np.testing.assert_array_equal(model.scores(many).values, np.repeat(few, FEW_ROWS + 1, axis=0))
