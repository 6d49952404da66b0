"""The logical type of a column: what a check compares, whatever form a file gives it."""

from __future__ import annotations

import polars as pl


def logical(dtype: pl.DataType) -> str:
    """``string``, ``integer``, ``number``, ``boolean``, ``time``, ``null`` (no value at all), or the name of any other type.

    >>> logical(pl.Categorical()), logical(pl.UInt8()), logical(pl.Date()), logical(pl.List(pl.Int64()))
    ('string', 'integer', 'time', 'list(int64)')
    """
    if isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
        return "string"
    if dtype.is_integer():
        return "integer"
    if dtype.is_float() or dtype.is_decimal():
        return "number"
    if isinstance(dtype, (pl.Datetime, pl.Date)):
        return "time"
    if dtype == pl.Boolean:
        return "boolean"
    return str(dtype).lower()


def zone(dtype: pl.DataType) -> str:
    """The time zone of a time; empty for anything else, and for a time without one."""
    return (dtype.time_zone or "") if isinstance(dtype, pl.Datetime) else ""


def fits(found: str, wanted: str) -> bool:
    """Whether a column of one logical type may stand where another is wanted: an integer is a number, and no value is of any type.

    >>> fits("integer", "number"), fits("number", "integer"), fits("null", "string")
    (True, False, True)
    """
    return found in (wanted, "null") or wanted == "null" or (found == "integer" and wanted == "number")


def of_series(series: pl.Series) -> str:
    """The logical type of a column with its values in sight: one without any value is ``null``, as a CSV file cannot say more."""
    return "null" if series.null_count() == len(series) else logical(series.dtype)
