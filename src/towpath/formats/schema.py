"""The schema of a version: which columns a request carries, and what a value of each may be. Knows no frame library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal

import msgspec

from towpath.formats.errors import BadColumn

ColumnType = Literal["string", "integer", "number", "boolean", "time"]
MOST_CATEGORIES = 100  # more distinct strings than this are names or text, not categories


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column.

    ``time`` is an instant in UTC, microseconds, and travels as ISO 8601 text. ``categories`` are the distinct strings seen
    in training, sorted, where there were at most 100: for documents and monitors, a new string is not refused.
    """

    name: str
    type: ColumnType
    nullable: bool = True
    categories: tuple[str, ...] | None = None


class Schema(msgspec.Struct, frozen=True):
    """Columns in order."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in order."""
        return tuple(column.name for column in self.columns)

    def select(self, names: Iterable[str]) -> Schema:
        """The schema of these columns, in the order given. Raises BadColumn for a name that is not there."""
        by_name = {column.name: column for column in self.columns}
        check_names(names := tuple(names), self.names, exactly=False)
        return Schema(tuple(by_name[name] for name in names))


def check_names(given: Sequence[str], known: Sequence[str], *, exactly: bool = True) -> None:
    """That every name ``given`` is known; and, if ``exactly``, that every known one is given. Raises BadColumn.

    >>> check_names(["distanse"], ["distance", "origin"])
    Traceback (most recent call last):
    towpath.formats.errors.BadColumn: column 'distanse': there is no such column
      mend: did you mean 'distance'?
    """
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            mend = f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(known)}"
            raise BadColumn(name, "there is no such column", mend=mend)
    for name in known if exactly else ():
        if name not in given:
            raise BadColumn(name, "it is missing", mend=f"give it; the columns are {', '.join(known)}")


def check_columns(schema: Schema, columns: Mapping[str, Sequence[Any]]) -> int:
    """The number of rows of a request, once every column is there, equally long, and of its type.

    Values are those of JSON: text, integers, numbers, booleans, null. An integer is a number; a boolean is neither.

    Raises:
        BadColumn: names the first column at fault, in the schema's order.

    >>> schema = Schema((Column(name="distance", type="number", nullable=False),))
    >>> check_columns(schema, {"distance": [229.0, 1400]})
    2
    >>> check_columns(schema, {"distance": [229.0, "far"]})
    Traceback (most recent call last):
    towpath.formats.errors.BadColumn: column 'distance': row 1 is 'far', which is no number
      mend: send a number
    """
    if columns.keys() != set(schema.names):
        check_names(tuple(columns), schema.names)
    rows = len(columns[schema.columns[0].name]) if schema.columns else 0
    for column in schema.columns:
        values = columns[column.name]
        if len(values) != rows:
            raise BadColumn(
                column.name, f"it has {len(values)} values, the columns before it {rows}", mend="give every column as many values"
            )
        _check_values(column, values)
    return rows


def _check_values(column: Column, values: Sequence[Any]) -> None:
    allowed = _PYTHON[column.type]
    for row, value in enumerate(values):
        if type(value) in allowed and (column.type != "time" or _is_time(value)):
            continue
        if value is None:
            if column.nullable:
                continue
            raise BadColumn(
                column.name, f"row {row} is null, and no null was seen in training", mend="send a value, or train with rows that have nulls"
            )
        shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."
        raise BadColumn(column.name, f"row {row} is {shown}, which is no {_WORDS[column.type]}", mend=f"send {_ARTICLE[column.type]}")


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, datetime) or bool(datetime.fromisoformat(value))
    except ValueError:
        return False


_PYTHON: dict[ColumnType, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "time": frozenset({str, datetime}),
}
_WORDS: dict[ColumnType, str] = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean", "time": "ISO 8601 time"}
_ARTICLE: dict[ColumnType, str] = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "time": "a time such as 2013-05-03T14:00:00Z",
}
