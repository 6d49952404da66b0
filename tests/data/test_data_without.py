"""A file without some of its rows: every other byte of text stays as it was, and no row is taken for another."""

from __future__ import annotations

import csv
import gzip
import io

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from towpath.data import read
from towpath.data.without import is_equal, names, theirs, without
from towpath.errors import Refused, UsageError

ODD = b'\xef\xbb\xbfid,note,km\r\n007,"a, ""quoted""\nline",1.50\r\n8,plain,2\r\n\r\n9,\xc3\xa9,3e0'


def ids(data: bytes, name: str = "a.csv") -> list[object]:
    return read.read_bytes(data, name)["id"].to_list()


def gone(data: bytes, name: str, *wanted: str) -> pl.Series:
    return theirs(read.read_bytes(data, name), ["id"], [(one,) for one in wanted])


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (["7"], b"\xef\xbb\xbfid,note,km\r\n8,plain,2\r\n\r\n9,\xc3\xa9,3e0"),
        (["8"], b'\xef\xbb\xbfid,note,km\r\n007,"a, ""quoted""\nline",1.50\r\n\r\n9,\xc3\xa9,3e0'),
        (["9", "8"], b'\xef\xbb\xbfid,note,km\r\n007,"a, ""quoted""\nline",1.50\r\n\r\n'),
        (["007", "8", "9"], b"\xef\xbb\xbfid,note,km\r\n\r\n"),  # a blank line is a row of nulls
        (["10"], ODD),
    ],
)
def test_text_keeps_every_other_byte(wanted: list[str], left: bytes) -> None:
    assert without(ODD, "a.csv", gone(ODD, "a.csv", *wanted)) == left


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=5)


@given(st.lists(st.tuples(st.integers(0, 3), TEXT), min_size=1, max_size=8), st.integers(0, 3))
def test_what_is_left_is_the_other_rows(rows: list[tuple[int, str]], person: int) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("id", "note"), *rows])
    data = text.getvalue().encode()
    frame = read.read_bytes(data, "a.csv")
    assume(frame.height == len(rows))
    mask = gone(data, "a.csv", str(person))
    try:
        left = without(data, "a.csv", mask)
    except Refused:
        return  # it is told, and nothing is lost
    assert (ids(left) if left else []) == [id for id, _ in rows if id != person]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.csv.gz", "a.tsv"])
def test_every_form_is_written_back_in_its_form(name: str) -> None:
    frame, buffer = pl.DataFrame({"id": [1, 2, 1], "km": [1.5, 2.5, None]}), io.BytesIO()
    if name.endswith("parquet"):
        frame.write_parquet(buffer, metadata={"made by": "somebody"})
    elif name.endswith("arrow"):
        frame.write_ipc(buffer)
    else:
        frame.write_csv(buffer, separator="\t" if "tsv" in name else ",")
    data = gzip.compress(buffer.getvalue()) if name.endswith("gz") else buffer.getvalue()
    left = without(data, name, gone(data, name, "1"))
    assert read.read_bytes(left, name).rows() == [(2, 2.5)]
    assert read.read_bytes(left, name).schema == read.read_bytes(data, name).schema
    if name.endswith("parquet"):
        assert pl.read_parquet_metadata(io.BytesIO(left))["made by"] == "somebody"


def test_lines_that_are_not_the_rows_one_by_one_are_refused() -> None:
    data = b"id\n1\n2\n"
    with pytest.raises(Refused, match="not its 3 rows one by one"):
        without(data, "a.csv", pl.Series([True, False, False]))


def test_rows_are_named_by_the_first_columns_of_the_key() -> None:
    frame = pl.DataFrame({"person": ["ann", "ann", "bob"], "day": [1, 2, 1], "km": [1.0, 2.0, 3.0]})
    key = ["person", "day"]
    assert theirs(frame, key, names(["ann"], key)).to_list() == [True, True, False]
    assert theirs(frame, key, names(["ann,2", "bob"], key)).to_list() == [False, True, True]
    with pytest.raises(Refused, match="no column gate"):
        theirs(frame, ["gate"], [("A",)])


@pytest.mark.parametrize(
    ("series", "value", "found"),
    [
        (pl.Series([7, 8]), "7", [True, False]),
        (pl.Series([7, 8]), "7.0", [True, False]),
        (pl.Series([2**53 + 1, 2**53]), str(2**53 + 1), [True, False]),
        (pl.Series([7.0, None]), "7", [True, False]),
        (pl.Series(["7", "07"]), "07", [False, True]),
        (pl.Series(["7", "x"], dtype=pl.Categorical), "x", [False, True]),
        (pl.Series([7, 8]), "ann", [False, False]),
        (pl.Series(["2013-01-01", "2013-01-02"]).str.to_date(), "2013-01-02", [False, True]),
        (pl.Series([None, None]), "None", [False, False]),
    ],
)
def test_numbers_are_compared_as_numbers_and_all_else_as_text(series: pl.Series, value: str, found: list[bool]) -> None:
    assert theirs(series.alias("id").to_frame(), ["id"], [(value,)]).to_list() == found
    if series.dtype in (pl.Int64, pl.String, pl.Float64):
        assert [is_equal(one, value) for one in series] == found


@pytest.mark.parametrize(("text", "wanted"), [("", "is empty"), ("ann,", "is empty"), ("a,b,c", "3 values, and the key 2 columns")])
def test_what_names_no_row_is_told(text: str, wanted: str) -> None:
    with pytest.raises(UsageError, match=wanted):
        names([text], ["person", "day"])
