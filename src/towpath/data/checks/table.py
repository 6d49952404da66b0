"""A table as rules see it: one null, one kind of text, one time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from towpath.data import columns

FILE, ROW = "towpath_file", "towpath_row"


@dataclass(frozen=True)
class Table:
    """The rows of one file, or of several after each other.

    NaN is null, text is text whatever form it has, decimals are floats, times with a zone are UTC without one, and a column without
    any value has no type. ``located`` adds file and row (from 1).
    """

    path: str
    height: int
    schema: dict[str, pl.DataType]
    frame: pl.LazyFrame
    located: pl.LazyFrame

    def kind(self, column: str) -> str:
        """The logical type of a column; ``null`` where it has no value."""
        dtype = self.schema[column]
        return "null" if dtype == pl.Null else columns.logical(dtype)


def of_file(path: str, frame: pl.DataFrame) -> Table:
    """The table of one file."""
    forms = {series.name: _plain(series) for series in frame.iter_columns()}
    plain = frame.lazy().with_columns(form for form in forms.values() if form is not None)
    empty = frame.clear().select(pl.col(name) if form is None else form for name, form in forms.items())
    located = plain.drop(FILE, ROW, strict=False).with_row_index(ROW, offset=1).with_columns(pl.lit(path).alias(FILE))
    return Table(path, frame.height, dict(empty.schema), plain, located)


def _plain(series: pl.Series) -> pl.Expr | None:
    """The column in its plain form; None where it has that already."""
    column, dtype = pl.col(series.name), series.dtype
    if len(series) and series.null_count() == len(series):
        return pl.lit(None, dtype=pl.Null).alias(series.name)
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        return column.cast(pl.String)
    if dtype.is_decimal():
        return column.cast(pl.Float64)
    if dtype.is_float():
        return column.fill_nan(None)
    return column.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if columns.zone(dtype) else None


def together(tables: Sequence[Table], wanted: Sequence[str]) -> Table:
    """All rows of these tables, with the ``wanted`` columns; those whose types do not go together are left out."""
    types = {column: dtype for column in wanted if (dtype := _common([one.schema[column] for one in tables if column in one.schema]))}
    if len(tables) == 1:
        return tables[0]
    frames = [_as(one.frame, one, types).select(list(types)) for one in tables]
    located = [_as(one.located, one, types).select(FILE, ROW, *types) for one in tables]
    return Table("", sum(one.height for one in tables), types, pl.concat(frames), pl.concat(located))


def _as(frame: pl.LazyFrame, table: Table, types: dict[str, pl.DataType]) -> pl.LazyFrame:
    there = [pl.col(column).cast(dtype) for column, dtype in types.items() if column in table.schema and table.schema[column] != dtype]
    return frame.with_columns(*there, *[pl.lit(None, dtype).alias(column) for column, dtype in types.items() if column not in table.schema])


def _common(types: Sequence[pl.DataType]) -> pl.DataType | None:
    """The type that all of these go into without loss of what they mean; None where there is none."""
    valued = [dtype for dtype in dict.fromkeys(types) if dtype != pl.Null]
    if not valued:
        return pl.Null() if types else None
    kinds = {columns.logical(dtype) for dtype in valued}
    if len(kinds - {"integer"} if "number" in kinds else kinds) > 1:
        return None
    return pl.concat([pl.DataFrame(schema={"": dtype}) for dtype in valued], how="vertical_relaxed").dtypes[0]
