"""Proposed checks pass on the data that they were made from, and say what a person would have said."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.data.checks import Around, judge
from towpath.data.checks.propose import propose
from towpath.data.snapshot import Part
from towpath.digest import Digest
from towpath.project_checks import Checks
from towpath.project_reading import read
from towpath.verdict import Answer, overall

AROUND = Around(now=datetime(2013, 6, 1, tzinfo=UTC))
COLUMNS = {
    pl.Int64: st.integers(-(2**62), 2**62),
    pl.UInt8: st.integers(0, 255),
    pl.Float64: st.floats(),
    pl.Float32: st.floats(width=32),
    pl.String: st.text(max_size=3),
    pl.Categorical: st.sampled_from(["a", "b", "no"]),
    pl.Boolean: st.booleans(),
    pl.Datetime("us", "UTC"): st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    pl.Date: st.dates(),
    pl.Binary: st.binary(max_size=3),
}


def parts(*frames):
    return [Part(path=str(number), digest=Digest(str(number)), size=1, frame=frame) for number, frame in enumerate(frames)]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_is_proposed_passes_on_the_same_data(data):
    types = data.draw(st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=3))
    repeats = data.draw(st.sampled_from([1, 30]))
    frames = []
    for height in data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=3)):
        columns = {
            str(number): pl.Series(data.draw(st.lists(st.none() | COLUMNS[dtype], min_size=height, max_size=height)) * repeats, dtype=dtype)
            for number, dtype in enumerate(types)
        }
        frames.append(pl.DataFrame(columns))
    found = read(Checks, propose([(part.path, part.frame) for part in parts(*frames)], ["0", "1"][: len(types)]))
    verdicts = judge("d", found, parts(*frames), AROUND)
    assert overall(verdicts) is Answer.PASS, [verdict.because for verdict in verdicts if verdict.answer is not Answer.PASS]


def test_proposals_are_what_a_person_would_have_said():
    n = 1000
    frame = pl.DataFrame(
        {
            "id": [f"N{k:05}" for k in range(n)],
            "origin": ["EWR", "JFK", "LGA", "JFK"] * (n // 4),
            "distance": [80.0 + 4.9 * k for k in range(n - 1)] + [None],
            "change": [-0.5 + k / n for k in range(n)],
            "hour": [k % 24 for k in range(n)],
            "zip": [f"{10000 + k % 500}" for k in range(n)],
            "time": [datetime(2013, 1, 1)] * n,
            "nothing": [None] * n,
        }
    )
    assert propose([("a", frame)], ["id", "time"]) == {
        "rows": {"min": 500},
        "columns": {
            "id": {"type": "string", "nulls": 0, "unique": True},
            "origin": {"type": "string", "nulls": 0, "values": ["EWR", "JFK", "LGA"]},
            "distance": {"type": "number", "nulls": "2%", "min": 0, "max": 5500},
            "change": {"type": "number", "nulls": 0, "min": -0.6, "max": 0.6},
            "hour": {"type": "integer", "nulls": 0, "min": 0, "max": 23},
            "zip": {"type": "string", "nulls": 0, "length": {"min": 5, "max": 5}},
            "time": {"type": "time", "nulls": 0},
            "nothing": {},
        },
        "unique": [["id", "time"]],
    }


def test_the_worst_file_says_how_many_nulls_there_may_be():
    files = [("1", pl.DataFrame({"a": [1, 2, 3, 4]})), ("2", pl.DataFrame({"a": [1, None]}))]
    assert propose(files)["columns"]["a"]["nulls"] == "76%"


def test_a_column_that_one_file_lacks_is_not_asked_for():
    assert list(propose([("1", pl.DataFrame({"a": [1], "b": [1]})), ("2", pl.DataFrame({"a": [1]}))])["columns"]) == ["a"]


def test_an_empty_table_asks_for_its_columns():
    assert propose([("1", pl.DataFrame(schema={"a": pl.Int64}))]) == {"rows": {"min": 1}, "columns": {"a": {}}}


N = 600
GOOD = pl.DataFrame(
    {
        "id": [f"N{k:05}" for k in range(N)],
        "origin": ["EWR", "JFK", "LGA"] * (N // 3),
        "distance": [80.0 + 4.9 * k for k in range(N - 6)] + [None] * 6,
        "hour": [k % 24 for k in range(N)],
        "zip": [f"{10000 + k % 500}" for k in range(N)],
        "time": [datetime(2013, 1, 1)] * N,
    }
)
BAD = {
    "a null where there was none": (pl.col("origin").replace("LGA", None), "origin"),
    "many nulls where there were few": (pl.when(pl.col("hour") > 20).then(None).otherwise("distance").alias("distance"), "distance"),
    "a value that is none of them": (pl.col("origin").replace("LGA", "LAX"), "origin"),
    "one that is too large": (pl.when(pl.col("hour") == 7).then(1e6).otherwise("distance").alias("distance"), "distance"),
    "one that is negative": (-pl.col("distance"), "distance"),
    "an hour that no day has": (pl.col("hour").replace(23, 24), "hour"),
    "a text that is too short": (pl.col("zip").str.tail(4), "zip"),
    "another type": (pl.col("hour").cast(pl.String), "hour"),
    "a value twice": (pl.col("id").replace("N00001", "N00002"), "id"),
}


def failures(frame):
    """What the checks that were proposed from good data say of another table."""
    found = read(Checks, propose([("good", GOOD)], ["id"]))
    return [verdict.gate + verdict.because for verdict in judge("d", found, parts(frame), AROUND) if verdict.answer is Answer.FAIL]


@pytest.mark.parametrize(("change", "column"), BAD.values(), ids=BAD.keys())
def test_what_is_proposed_catches_bad_data(change, column):
    assert failures(GOOD) == []
    failed = failures(GOOD.with_columns(change))
    assert failed
    assert all(column in one for one in failed), failed


@pytest.mark.parametrize(("spoilt", "word"), [(GOOD.head(100), "rows"), (GOOD.drop("zip"), "zip")], ids=["rows lost", "a column lost"])
def test_what_is_proposed_catches_what_is_lost(spoilt, word):
    (failed,) = failures(spoilt)
    assert word in failed
