"""Which rows keep to a rule, as Polars expressions by the kind of the column. A null keeps to all but the one against nulls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from towpath.data.checks.rule import Unfit
from towpath.data.checks.table import Table
from towpath.project_checks import Bounds
from towpath.project_fields import Scalar

_NEVER = pl.lit(False)
_FEW = 8  # so many texts are compared faster one by one than by a hash of each row's


def null(column: str, table: Table) -> pl.Expr:
    """No value."""
    return pl.col(column).is_null()


def nulls(column: str, table: Table) -> pl.Expr:
    """How many nulls: known without a look at the values."""
    return pl.col(column).null_count()


def outside(column: str, low: Any, high: Any, table: Table) -> pl.Expr:
    """Below ``low`` or above ``high``; either may be None."""
    value, (low, high) = _ordered(column, (low, high), table)
    if table.kind(column) == "null":
        return _NEVER
    below = value < low if low is not None else _NEVER
    above = value > high if high is not None else _NEVER
    return below if high is None else above if low is None else below | above


def how_far(column: str, low: Any, high: Any, table: Table) -> pl.Expr:
    """How far outside a value lies, the largest of both ends."""
    value, ends = _ordered(column, (low, high), table)
    distances = [low - value for low in ends[:1] if low is not None] + [value - high for high in ends[1:] if high is not None]
    return pl.max_horizontal(distances)


def _ordered(column: str, ends: tuple[Any, Any], table: Table) -> tuple[pl.Expr, tuple[Any, Any]]:
    """The column and the ends of a range as things that can be compared."""
    kind, value = table.kind(column), pl.col(column)
    is_time = any(isinstance(end, datetime) for end in ends)
    if kind not in ("null", "time") if is_time else kind not in ("null", "integer", "number"):
        raise Unfit(column, f"column {column} is {kind}, and {'times' if is_time else 'numbers'} were declared")
    if is_time:
        naive = tuple(None if end is None else pl.lit(end.astimezone(UTC).replace(tzinfo=None)) for end in ends)
        return value.cast(pl.Datetime("us")), (naive[0], naive[1])
    return value, ends


def strange(column: str, values: Sequence[Scalar], table: Table) -> pl.Expr:
    """None of ``values``. Texts are compared as texts, numbers as numbers: 1 is 1.0."""
    kind, value = table.kind(column), pl.col(column)
    if kind == "null":
        return _NEVER
    if kind == "boolean":
        return ~value.is_in([one for one in values if isinstance(one, bool)])
    if kind == "integer":  # as integers: two large ones may be the same float
        whole = [int(one) if isinstance(one, int) else int(float(one)) for one in values if _is_number(one) and float(one).is_integer()]
        return ~value.cast(pl.Int128).is_in(pl.Series(whole, dtype=pl.Int128).implode())
    if kind == "number":
        return ~value.cast(pl.Float64).is_in([float(one) for one in values if _is_number(one)])
    texts = [_text(one) for one in values]
    value = value if kind == "string" else value.cast(pl.String)
    if 0 < len(texts) <= _FEW:
        return pl.all_horizontal(value != text for text in texts)
    return ~value.is_in(texts)


def _is_number(value: Scalar) -> bool:
    try:
        return not isinstance(value, bool) and float(value) == float(value)
    except ValueError:
        return False


def _text(value: Scalar) -> str:
    """A declared value as Polars writes it as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def unmatched(column: str, regex: str, table: Table) -> pl.Expr:
    """A text in which the expression is not found anywhere."""
    return ~_text_of(column, table).str.contains(regex) if table.kind(column) != "null" else _NEVER


def long(column: str, bounds: Bounds, table: Table) -> pl.Expr:
    """A text with too few or too many characters."""
    if table.kind(column) == "null":
        return _NEVER
    length = _text_of(column, table).str.len_chars().cast(pl.Int64)
    low, high = bounds.min, bounds.max
    return (length < low if low is not None else _NEVER) | (length > high if high is not None else _NEVER)


def _text_of(column: str, table: Table) -> pl.Expr:
    if table.kind(column) != "string":
        raise Unfit(column, f"column {column} is {table.kind(column)}, and only text has characters")
    return pl.col(column)


def repeated(names: Sequence[str], table: Table) -> pl.Expr:
    """Another row has the same values. Rows with a null in one of them are like no other."""
    valued = pl.all_horizontal(pl.col(name).is_not_null() for name in names)
    return (pl.struct(names) if len(names) > 1 else pl.col(names[0])).is_duplicated() & valued


def repetitions(names: Sequence[str], table: Table) -> pl.Expr:
    """How many rows there are more than different values: zero when nothing is repeated, and cheaper to count."""
    if len(names) == 1:
        value = pl.col(names[0])
        return value.count().cast(pl.Int64) - value.n_unique() + value.has_nulls()
    return pl.struct(names).filter(pl.all_horizontal(pl.col(name).is_not_null() for name in names)).is_duplicated().sum()


def orphan(column: str, keys: pl.Series | None, table: Table) -> pl.Expr:
    """A value that is none of ``keys``; None: they could not be read."""
    kind, value = table.kind(column), pl.col(column)
    if keys is None:
        raise Unfit("", "the column that it refers to cannot be read")
    if kind == "null" or not len(keys):
        return value.is_not_null()
    if kind in ("integer", "number") and keys.dtype.is_numeric():
        form = pl.Int128 if kind == "integer" and keys.dtype.is_integer() else pl.Float64
        return ~value.cast(form).is_in(keys.cast(form).implode())
    if table.schema[column] != keys.dtype:
        raise Unfit(column, f"column {column} is {kind}, and the key that it refers to is {keys.dtype}")
    return ~value.is_in(keys.implode())


def false(expression: pl.Expr, table: Table) -> pl.Expr:
    """A condition of the user's that does not hold; where it is unknown, for a null, nothing is said against the row."""
    try:
        found = pl.DataFrame(schema=table.schema).select(expression.alias("")).schema[""]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as fault:
        raise Unfit("", str(fault).splitlines()[0]) from None
    if found not in (pl.Boolean, pl.Null):
        raise Unfit("", f"it gives {found}, and a condition is true or false")
    return ~expression if found == pl.Boolean else _NEVER
