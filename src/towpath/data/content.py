"""The canonical digest of a table: what is in it, whatever wrote it.

Column names and logical types, then for each column validity and values. All forms of text are one, dictionaries are
decoded, times are microseconds with their zone, nulls are zero, NaN is one NaN and -0.0 is 0.0. No chunk, offset, file
format or metadata shows in it.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from blake3 import blake3

from towpath.digest import Digest

_NAN = np.float64("nan")


def content_of(frame: pl.DataFrame) -> Digest:
    """Digest of a table's content.

    >>> a = pl.DataFrame({"x": ["a", None]})
    >>> content_of(a) == content_of(a.with_columns(pl.col("x").cast(pl.Categorical)))
    True
    """
    digest = blake3(max_threads=blake3.AUTO)
    digest.update(f"{frame.width} columns, {frame.height} rows\n".encode())
    for column in frame.iter_columns():
        plain, kind = _logical(column)
        digest.update(f"{len(column.name.encode())}:{column.name} {kind}\n".encode())
        digest.update(np.packbits(plain.is_null().to_numpy()).tobytes())
        for part in _values(plain):
            digest.update(part)
    return Digest(digest.hexdigest())


def _logical(column: pl.Series) -> tuple[pl.Series, str]:
    """The column in the one physical form of its logical type, and that type's name."""
    dtype = column.dtype
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return column.cast(pl.String), "string"
    if isinstance(dtype, pl.Datetime):
        return column.cast(pl.Datetime("us", dtype.time_zone)).cast(pl.Int64), f"time {dtype.time_zone or ''}"
    if dtype in (pl.Date, pl.Time, pl.Duration):
        return column.to_physical().cast(pl.Int64), str(dtype).lower()
    if dtype == pl.UInt64:
        return column, "uint64"
    if dtype.is_integer():
        return column.cast(pl.Int64), "integer"
    if dtype.is_float():
        return column.cast(pl.Float64), "number"
    if dtype == pl.Boolean:
        return column.cast(pl.Int64), "boolean"
    return column.to_frame().select(pl.struct(pl.all()).struct.json_encode()).to_series(), str(dtype)


def _values(plain: pl.Series) -> list[bytes]:
    if plain.dtype == pl.String:
        lengths = plain.str.len_bytes().fill_null(0).cast(pl.Int64).to_numpy()
        return [lengths.tobytes(), "".join(plain.drop_nulls().to_list()).encode()]
    values = plain.fill_null(0).to_numpy()
    if plain.dtype == pl.Float64:
        values = np.where(np.isnan(values), _NAN, values) + 0.0
    return [values.tobytes()]
