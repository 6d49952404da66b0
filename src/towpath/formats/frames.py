"""Frames: the one form in which rows arrive, and the one form in which a model sees them.

Two forms, and training, parity and server use the same two functions:

``requested``  raw rows as a request carries them: String, Int64, Float64, Boolean, Datetime("us", "UTC"). A time without a zone is
               taken as UTC. The user's `features` function sees nothing else, so that it cannot tell training from serving.
``canonical``  what the model sees: text as String with "" for null; every number and boolean as a Float64 that a float32 can hold,
               with NaN for null. ONNX Runtime computes in float32: rounding *before* training puts every threshold of a tree between
               two values that float32 can tell apart, so that no row falls on another side when it is served. Integers beyond 2**24
               (times in seconds, long ids) lose their last digits here, in training as in serving: take differences or make them text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from towpath.errors import UsageError
from towpath.formats.errors import BadColumn
from towpath.formats.schema import MOST_CATEGORIES, Column, ColumnType, Schema, check_columns, check_names

Kind = Literal["polars", "pandas", "arrow"]
Columns = dict[str, "NDArray[np.float32] | list[str]"]
_FEW = 32  # up to so many rows a Python list is faster than a chain of Polars calls
_TIME = pl.Datetime("us", "UTC")
_DTYPES: dict[ColumnType, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "time": _TIME,
}


def type_of(name: str, dtype: pl.DataType) -> ColumnType:
    """The logical type of a column. Raises BadColumn for lists, structs, durations and the like."""
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric() or dtype == pl.Null:
        return "number"
    if isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
        return "string"
    if dtype == pl.Boolean:
        return "boolean"
    if isinstance(dtype, (pl.Datetime, pl.Date)):
        return "time"
    raise BadColumn(name, f"a {dtype} cannot travel in a request", mend="make it text, numbers, booleans or times; one value a column")


def schema_of(frame: pl.DataFrame) -> Schema:
    """The schema of a frame: logical types, whether there are nulls (NaN and infinity, which travel as null, among them), categories."""
    return Schema(tuple(_column(series) for series in frame.iter_columns()))


def _column(series: pl.Series) -> Column:
    kind = type_of(series.name, series.dtype)
    categories = None
    if kind == "string":
        distinct = series.drop_nulls().cast(pl.String).unique().sort()
        categories = tuple(distinct) if len(distinct) <= MOST_CATEGORIES else None
    nullable = series.null_count() > 0 or (series.dtype.is_float() and not series.is_finite().all())
    return Column(name=series.name, type=kind, nullable=nullable, categories=categories)


def check_frame(schema: Schema, frame: pl.DataFrame) -> None:
    """That a frame has the schema's columns, each of its type (an integer is a number), with nulls only where there may be some.

    Raises:
        BadColumn: names the first column at fault.
    """
    check_names(frame.columns, schema.names)
    for column in schema.columns:
        series = frame[column.name]
        found = type_of(column.name, series.dtype)
        if found != column.type and (found, column.type) != ("integer", "number") and series.dtype != pl.Null:
            raise BadColumn(column.name, f"it is {series.dtype} ({found}), the schema says {column.type}", mend=f"give it as {column.type}")
        if not column.nullable and (nulls := series.null_count()):
            raise BadColumn(
                column.name,
                f"{nulls} of {len(series)} rows are null, and no null was seen in training",
                mend="fill them, or train with nulls",
            )


def requested(frame: pl.DataFrame) -> pl.DataFrame:
    """Raw rows in the form in which a request carries them. Idempotent."""
    types = {name: type_of(name, dtype) for name, dtype in frame.schema.items()}
    if all(dtype == _DTYPES[types[name]] for name, dtype in frame.schema.items()):
        return frame  # as every request is: a server asks this for each one
    return frame.select([_as_requested(pl.col(name), types[name], dtype) for name, dtype in frame.schema.items()])


def _as_requested(column: pl.Expr, kind: ColumnType, dtype: pl.DataType) -> pl.Expr:
    if kind == "time" and isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return column.dt.convert_time_zone("UTC").cast(_TIME)
    if kind == "time":
        return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return column if dtype == _DTYPES[kind] else column.cast(_DTYPES[kind])


def frame_of(schema: Schema, columns: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    """The raw rows of a request, given as columns of JSON values; checked.

    Raises:
        BadColumn: names the column at fault.
    """
    check_columns(schema, columns)
    return pl.DataFrame([_series(column, columns[column.name]) for column in schema.columns])


def _series(column: Column, values: Sequence[Any]) -> pl.Series:
    if column.type != "time":
        return pl.Series(column.name, values, dtype=_DTYPES[column.type])
    series = pl.Series(column.name, values)
    if series.dtype == pl.String:
        return series.str.to_datetime(time_unit="us", time_zone="UTC")
    return requested(series.cast(pl.Datetime("us")).to_frame() if series.dtype == pl.Null else series.to_frame()).to_series()


def canonical(frame: pl.DataFrame, *, label: str | None = None) -> pl.DataFrame:
    """What a model sees. Idempotent. A ``label`` column is left as it is.

    Raises:
        BadColumn: a column is neither text nor numbers; times among them.

    >>> canonical(pl.DataFrame({"origin": ["JFK", None], "hour": [5, None]})).rows()
    [('JFK', 5.0), ('', nan)]
    """
    return frame.with_columns([_canonical(name, dtype) for name, dtype in frame.schema.items() if name != label])


def _canonical(name: str, dtype: pl.DataType) -> pl.Expr:
    if type_for_model(name, dtype) == "string":
        return pl.col(name).cast(pl.String).fill_null("")
    return pl.col(name).cast(pl.Float64).cast(pl.Float32).cast(pl.Float64).fill_null(math.nan)


def type_for_model(name: str, dtype: pl.DataType) -> Literal["string", "number"]:
    """How a model sees a column. Raises BadColumn for times and for what cannot travel in a request."""
    kind = type_of(name, dtype)
    if kind == "time":
        raise BadColumn(
            name,
            f"a time ({dtype}) cannot go into a model",
            mend="let the `features` function turn it into numbers (such as hour and weekday) and drop it",
        )
    return "string" if kind == "string" else "number"


def columns_of(frame: pl.DataFrame, inputs: Schema | None = None) -> Columns:
    """The columns of a frame as a scorer takes them: lists of str, arrays of float32. The same values as of ``canonical(frame)``.

    With ``inputs``, those columns in that order, as the types they had in training: an all-null column has no type of its own.

    Raises:
        BadColumn: a column of ``inputs`` is missing, or of the other type.
    """
    names = frame.columns if inputs is None else inputs.names
    types = {} if inputs is None else {column.name: column.type for column in inputs.columns}
    if inputs is not None:
        check_names(names, frame.columns, exactly=False)
    with np.errstate(over="ignore"):  # beyond float32 is infinity, as in `canonical`
        return {name: _values(frame[name], types.get(name)) for name in names}


def _values(series: pl.Series, wanted: ColumnType | None) -> NDArray[np.float32] | list[str]:
    found = type_for_model(series.name, series.dtype)
    if series.dtype == pl.Null and wanted == "string":
        return [""] * len(series)
    if wanted is not None and (found == "string") != (wanted == "string"):
        raise BadColumn(
            series.name, f"it is {series.dtype}, in training it was {wanted}", mend="let `features` give it one type on all rows"
        )
    if found == "string":
        return [value if value is not None else "" for value in series.to_list()]
    if len(series) <= _FEW:
        return np.array(series.to_list(), dtype=np.float32)
    return series.cast(pl.Float64).cast(pl.Float32).fill_null(math.nan).to_numpy()


def kind_of(function: Callable[..., Any]) -> Kind:
    """Which frames a user's function takes, from the annotation of its first parameter; Polars where it has none."""
    wanted = next((value for name, value in function.__annotations__.items() if name != "return"), None)
    if isinstance(wanted, str):
        root = wanted.strip("'\"").split("[")[0].split(".")[0]
        wanted = getattr(function, "__globals__", {}).get(root, wanted)
    return kind_of_annotation(wanted)


def kind_of_annotation(annotation: Any) -> Kind:
    """Which frames an annotation names: a class, a module, or text such as ``pd.DataFrame``; Polars unless it says otherwise.

    >>> kind_of_annotation("pd.DataFrame"), kind_of_annotation(pl.DataFrame), kind_of_annotation(None)
    ('pandas', 'polars', 'polars')
    """
    if isinstance(annotation, str):
        root = annotation.strip("'\"").split(".")[0]
    else:  # a class knows its module; a module is its own
        root = str(getattr(annotation, "__module__", None) or getattr(annotation, "__name__", "")).split(".")[0]
    return _KINDS.get(root, "polars")


_KINDS: dict[str, Kind] = {"pd": "pandas", "pandas": "pandas", "pa": "arrow", "pyarrow": "arrow"}


def as_annotated(frame: pl.DataFrame, annotation: Any) -> Any:
    """The frame as a user's annotation asks for it. Polars itself loads pandas or pyarrow, only when one is asked for."""
    return as_kind(frame, kind_of_annotation(annotation))


def as_kind(frame: pl.DataFrame, kind: Kind) -> Any:
    """The frame in that library's form."""
    match kind:
        case "pandas":
            return frame.to_pandas()
        case "arrow":
            return frame.to_arrow()
        case "polars":
            return frame


def as_polars(frame: Any, *, source: str) -> pl.DataFrame:
    """What a user's function gave back, as a Polars frame. ``source`` names that function in the error.

    Raises:
        UsageError: it is no frame.
    """
    if isinstance(frame, pl.DataFrame):
        return frame
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    root = type(frame).__module__.split(".")[0]
    made = pl.from_pandas(frame) if root == "pandas" else pl.from_arrow(frame) if root == "pyarrow" else None
    if not isinstance(made, pl.DataFrame):
        raise UsageError(
            f"{source} gave a {type(frame).__name__}, which is no frame", mend="return a Polars or pandas DataFrame, or an Arrow table"
        )
    return made


def json_columns(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """Rows in requested form as a request carries them: JSON values, times as ISO 8601 text, NaN and infinity as null."""
    return {series.name: _json_values(series) for series in frame.iter_columns()}


def _json_values(series: pl.Series) -> list[Any]:
    if isinstance(series.dtype, pl.Datetime):
        return [value.isoformat().replace("+00:00", "Z") if value is not None else None for value in series.to_list()]
    return (travelling(series.to_frame()).to_series() if series.dtype.is_float() else series).to_list()


def travelling(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows as they would arrive, had they been sent as JSON: NaN and infinity are null."""
    floats = pl.selectors.float()
    return frame.with_columns(pl.when(floats.is_finite()).then(floats))
