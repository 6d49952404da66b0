"""The canonical content digest of a table: equal exactly when names, logical types and values are equal, row by row.

Made as a small tree of digests: of each column's type, validity and values, then of all columns. What does not show: chunks and
offsets, the form of text (String, Categorical, Enum), what lies under a null, which NaN it is, metadata. What does: names and their
order, the width of numbers, the unit and zone of times, the order of rows, the sign of zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from towpath.digest import Digest, of_bytes, of_value
from towpath.errors import UsageError

_FORM = "table-1"


def of_frame(frame: pl.DataFrame) -> Digest:
    """The content digest of a table.

    >>> of_frame(pl.DataFrame({"a": ["x", None]})) == of_frame(pl.DataFrame({"a": ["x", None]}, schema={"a": pl.Categorical}))
    True

    Raises:
        UsageError: a column holds Python objects, which have no content of their own.
    """
    return of_value([_FORM, frame.height, [[series.name, _column(series)] for series in frame.iter_columns()]])


def _column(series: pl.Series) -> list[Any]:
    valid = series.is_not_null()
    validity = "all" if series.null_count() == 0 else _bits(valid)
    return [_name(series.dtype), validity, _values(series)]


def _name(dtype: pl.DataType) -> str:
    if isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
        return "string"
    if isinstance(dtype, pl.Array):
        return f"array[{dtype.size}]"
    if isinstance(dtype, pl.List):
        return "list"
    return "struct" if isinstance(dtype, pl.Struct) else str(dtype)


def _values(series: pl.Series) -> Any:
    """Digests of the values; only of what is valid, or with zero under nulls."""
    dtype = series.dtype
    if dtype.is_float():
        return _floats(series)
    if dtype.is_decimal() or dtype in (pl.Int128, pl.UInt128):
        return _texts(series.cast(pl.String).fill_null(""))
    if dtype.is_integer() or dtype.is_temporal():
        return _numbers(series.to_physical().fill_null(0))
    if dtype == pl.Boolean:
        return _bits(series.fill_null(False))
    if isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
        return _texts(series.cast(pl.String).fill_null(""))
    if dtype == pl.Binary:
        return _texts(series.fill_null(b"").bin.encode("hex"))
    return _nested(series)


def _nested(series: pl.Series) -> Any:
    dtype = series.dtype
    if isinstance(dtype, pl.Array):
        series = series.arr.to_list()
    if isinstance(dtype, (pl.List, pl.Array)):
        lengths = series.list.len().fill_null(0)
        inner = series.filter(lengths > 0).explode(empty_as_null=False)
        return [_numbers(lengths), *_column(inner)]
    if isinstance(dtype, pl.Struct):
        whole = series.drop_nulls()
        return [[field.name, _column(whole.struct.field(field.name))] for field in dtype.fields]
    if dtype == pl.Null:
        return "none"
    raise UsageError(f"column {series.name!r} holds {dtype}, which has no content of its own", mend="turn it into text, numbers or times")


def _bits(series: pl.Series) -> Digest:
    return of_bytes(np.packbits(series.to_numpy()).data)


def _numbers(series: pl.Series) -> Digest:
    values = np.ascontiguousarray(series.to_numpy())
    return of_bytes(values.astype(values.dtype.newbyteorder("<"), copy=False).view(np.uint8).data)


def _floats(series: pl.Series) -> Digest:
    return _numbers(series.fill_nan(float("nan")).fill_null(0.0))


def _texts(series: pl.Series) -> list[Digest]:
    joined: str = series.str.join("").item() if len(series) else ""
    return [_numbers(series.str.len_bytes()), of_bytes(joined.encode())]
