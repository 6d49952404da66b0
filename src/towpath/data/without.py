"""A file's bytes without some of its rows. Text keeps every other byte as it was; Parquet and Arrow are written anew."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from contextlib import suppress

import polars as pl

from towpath.data import columns, read
from towpath.errors import Refused, UsageError

Name = tuple[str, ...]  # the values of a key's columns, in their order; fewer name every row that begins so


def names(texts: Sequence[str], key: Sequence[str]) -> tuple[Name, ...]:
    """Values of a key as a person writes them: one a column, separated by commas, in quotes where a value has one.

    >>> names(["ann,2013", '"Smith, J."'], ["person", "year"])
    (('ann', '2013'), ('Smith, J.',))

    Raises:
        UsageError: more values than the key has columns, or an empty one.
    """
    found = []
    for text in texts:
        parts = tuple(next(iter(csv.reader([text])), []))
        if not parts or not all(part.strip() for part in parts):
            raise UsageError(f"{text!r} names no row: a value is empty", mend=f"give {', '.join(key)}, separated by commas")
        if len(parts) > len(key):
            mend = f"give {', '.join(key)}, or only the first of them; a comma within a value stands in quotes; repeat --key for another"
            raise UsageError(f"{text!r} has {len(parts)} values, and the key {len(key)} column{'s' * (len(key) != 1)}", mend=mend)
        found.append(parts)
    return tuple(found)


def theirs(frame: pl.DataFrame, key: Sequence[str], wanted: Sequence[Name]) -> pl.Series:
    """For each row whether it is one of those that are named. Numbers are compared as numbers, all else as text.

    >>> theirs(pl.DataFrame({"id": [7, 8, None]}), ["id"], [("007",)]).to_list()
    [True, False, False]

    Raises:
        Refused: the table does not have a column that is needed.
    """
    missing = [name for name in key[: max(map(len, wanted))] if name not in frame.columns]
    if missing:
        raise Refused(f"there is no column {missing[0]}", mend="mend the file, or `key` in towpath.yaml")
    found = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    for name in wanted:
        one = pl.repeat(True, frame.height, dtype=pl.Boolean, eager=True)
        for column, value in zip(key, name, strict=False):
            one &= _equal(frame[column], value)
        found |= one
    return found


def _equal(series: pl.Series, value: str) -> pl.Series:
    same = (series.cast(pl.String) == value).fill_null(False)
    number = pl.Series([value]).cast(pl.Float64, strict=False)
    if columns.logical(series.dtype) in ("integer", "number") and number.null_count() == 0:
        whole = pl.Series([value]).cast(pl.Int64, strict=False)
        wanted = whole if series.dtype.is_integer() and whole.null_count() == 0 else number
        same |= (series == wanted[0]).fill_null(False)
    return same


def is_equal(value: object, text: str) -> bool:
    """Whether one value of a row is what a person wrote.

    >>> is_equal(7, "007"), is_equal("7", "007"), is_equal(None, "None")
    (True, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value is not None and (str(value).lower() == text.lower() if isinstance(value, bool) else str(value) == text)
    with suppress(ValueError):
        return value == int(text)
    with suppress(ValueError):
        return value == float(text)
    return False


def without(data: bytes, name: str, gone: pl.Series) -> bytes:
    """The bytes of the file ``name`` without the rows that are ``gone``; empty where none is left.

    Raises:
        Refused: a text file's lines are not its rows, one by one.
    """
    if gone.all():
        return b""
    frame, form = read.read_bytes(data, name), read.form_of(name)
    if form == "csv":
        packed = data[:2] == b"\x1f\x8b"
        text = _text_without(gzip.decompress(data) if packed else data, name, gone)
        return gzip.compress(text, mtime=0) if packed else text
    buffer = io.BytesIO()
    if form == "parquet":
        noted = {key: text for key, text in pl.read_parquet_metadata(io.BytesIO(data)).items() if key != "ARROW:schema"}
        frame.filter(~gone).write_parquet(buffer, metadata=noted)
    else:
        frame.filter(~gone).write_ipc(buffer)
    return buffer.getvalue()


def _text_without(data: bytes, name: str, gone: pl.Series) -> bytes:
    header, *rows = _records(data)
    if len(rows) != len(gone):  # Polars passes over blank lines
        rows = [row for row in rows if row.strip()]
    left = b"".join([header, *(row for row, is_gone in zip(rows, gone, strict=False) if not is_gone)])
    if len(rows) != len(gone) or read.read_bytes(left, name.removesuffix(".gz")).height != len(gone) - int(gone.sum()):
        raise Refused(
            f"{name}: its {len(rows):,} lines are not its {len(gone):,} rows one by one", mend="take the rows out by hand, then erase again"
        )
    return left


def _records(data: bytes) -> list[bytes]:
    """The lines of a CSV file with their ends; a line break within quotes ends none."""
    records: list[bytes] = []
    lines: list[bytes] = []
    quotes = 0
    for line in io.BytesIO(data):
        lines.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            records.append(b"".join(lines))
            lines = []
    return [*records, b"".join(lines)] if lines else records
