"""Great Expectations suites (their JSON) read as checks; what has no equivalent is named, never passed over in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from towpath.data.checks.rule import Faulty, Key
from towpath.data.checks.wording import verdict
from towpath.project_checks import Bounds, Checks, ColumnCheck, Expression
from towpath.project_reading import Unreadable, read
from towpath.verdict import Answer, Verdict

_ANY = Bounds()
_SAYS_NOTHING = {"result_format", "include_config", "catch_exceptions", "batch_id", "meta", "id", "notes", "description", "severity"}
_TYPES = {
    "string": ("str", "string", "object", "varchar", "text", "char", "nvarchar", "stringtype"),
    "integer": ("int", "int8", "int16", "int32", "int64", "integer", "bigint", "smallint", "tinyint", "longtype", "integertype"),
    "number": ("float", "float32", "float64", "double", "double_precision", "real", "numeric", "decimal", "doubletype", "floattype"),
    "boolean": ("bool", "boolean", "booleantype"),
    "time": ("datetime", "datetime64", "datetime64[ns]", "timestamp", "date", "timestamptype", "datetype"),
}
_TYPE_OF = {theirs: ours for ours, names in _TYPES.items() for theirs in names}


class _Unsupported(Exception):
    """Why an expectation has no equivalent."""


def of(name: str, checks: Checks, folder: Path) -> tuple[list[tuple[Key, Checks]], list[Verdict]]:
    """The expectations of the suite that ``checks`` names, each as checks of its own; and a verdict that names those left out.

    Raises:
        Faulty: there is no such file, it is no suite, or it has expectations without equivalent and they are not to be ignored.
    """
    if checks.expectations is None:
        return [], []
    path = checks.expectations
    known: list[tuple[Key, Checks]] = []
    unsupported: list[str] = []
    for kind, arguments in _read(folder / path, path):
        try:
            known.append((("expectations",), _checks(kind, arguments)))
        except (_Unsupported, Unreadable, KeyError, TypeError) as fault:
            column = arguments.get("column") or arguments.get("column_list") or arguments.get("column_A") or ""
            reason = str(fault) if isinstance(fault, _Unsupported) else "its arguments are not as its documentation has them"
            unsupported.append(f"{kind}{f' of {column}' if column else ''}: {reason}")
    if unsupported and checks.unsupported == "refuse":
        what = f"{path}: {len(unsupported)} of {len(unsupported) + len(known)} expectations are not supported: {'; '.join(unsupported)}"
        raise Faulty(("expectations",), what, mend="say them in other words under `checks`; `unsupported: ignore` leaves them out")
    left = [verdict(f"{name}: {path}", Answer.PASS, f"not supported, and ignored as declared: {one}") for one in unsupported]
    return known, left


def _read(file: Path, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and arguments of each expectation, in the form of version 1 and in the one before."""
    mend = "name the JSON file of a Great Expectations suite under `expectations`"
    try:
        suite = msgspec.json.decode(file.read_bytes())
        for one in suite["expectations"]:
            yield str(one.get("type") or one["expectation_type"]), dict(one.get("kwargs", {}))
    except OSError as fault:
        raise Faulty(("expectations",), f"{path} cannot be read: {fault.strerror}", mend=mend) from None
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError, ValueError) as fault:
        raise Faulty(("expectations",), f"{path} is no suite of expectations: {fault!r}", mend=mend) from None


def _checks(kind: str, arguments: dict[str, Any]) -> Checks:
    if kind not in _KNOWN:
        raise _Unsupported("no equivalent")
    takes, make = _KNOWN[kind]
    given = {key: value for key, value in arguments.items() if key not in _SAYS_NOTHING and value is not None and value is not False}
    if strange := sorted(given.keys() - {*takes, "ignore_row_if"}):
        raise _Unsupported(f"`{strange[0]}` has no equivalent")
    if any(isinstance(value, dict) and "$PARAMETER" in value for value in given.values()):
        raise _Unsupported("its parameters are known only when Great Expectations runs it")
    return make(given)


def _column(given: dict[str, Any], **check: Any) -> Checks:
    return Checks(rows=_ANY, columns={given["column"]: read(ColumnCheck, check)})


def _mostly(given: dict[str, Any]) -> float:
    return float(given.get("mostly", 1))


def _holds(given: dict[str, Any], condition: str) -> Checks:
    if _mostly(given) < 1:
        raise _Unsupported("`mostly` counts values here, and an expression counts rows")
    return Checks(rows=_ANY, expressions=(Expression(holds=condition),))


def _between(given: dict[str, Any]) -> Checks:
    low, high, name = given.get("min_value"), given.get("max_value"), _name(given["column"])
    if not (given.get("strict_min") or given.get("strict_max")):
        return _column(given, min=low, max=high, share=_mostly(given))
    sides = [f"{name} {'>' if given.get('strict_min') else '>='} {_literal(low)}"] if low is not None else []
    sides += [f"{name} {'<' if given.get('strict_max') else '<='} {_literal(high)}"] if high is not None else []
    return _holds(given, " AND ".join(sides))


def _range(given: dict[str, Any], low: str = "min_value", high: str = "max_value") -> Bounds:
    return Bounds(min=given.get(low), max=given.get(high))


def _quantiles(given: dict[str, Any]) -> Checks:
    ranges = given["quantile_ranges"]
    pairs = zip(ranges["quantiles"], ranges["value_ranges"], strict=True)
    return _column(given, quantiles={str(share): Bounds(min=low, max=high) for share, (low, high) in pairs})


def _type(given: dict[str, Any]) -> Checks:
    names = given["type_list"] if "type_list" in given else [given["type_"]]
    types = {_TYPE_OF.get(str(name).lower()) for name in names}
    if types == {"integer", "number"}:
        types = {"number"}
    if len(types) != 1 or None in types:
        raise _Unsupported(f"{', '.join(map(str, names))} is none of {', '.join(_TYPES)}")
    return _column(given, type=types.pop())


def _pair(given: dict[str, Any], operator: str) -> Checks:
    first, second = _name(given["column_A"]), _name(given["column_B"])
    condition = f"{first} {operator} {second}"
    ignored = given.get("ignore_row_if", "both_values_are_missing")
    if ignored == "either_value_is_missing":
        return _holds(given, condition)
    both = f"{first} IS NULL AND {second} IS NULL" if ignored == "both_values_are_missing" else "FALSE"
    return _holds(given, f"COALESCE({condition}, {both})")


def _compound(given: dict[str, Any]) -> Checks:
    if given.get("ignore_row_if") != "any_value_is_missing":
        raise _Unsupported("rows with a null in one of the columns are like no other here: set `ignore_row_if: any_value_is_missing`")
    return Checks(rows=_ANY, unique=(tuple(given["column_list"]),))


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _Unsupported(f"{value!r} cannot be written in SQL")
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def _literals(values: Sequence[Any]) -> str:
    return ", ".join(_literal(value) for value in values)


_RANGE = ("column", "min_value", "max_value")
_PAIR = ("column_A", "column_B", "mostly")
_KNOWN: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], Checks]]] = {
    "expect_column_to_exist": (("column",), _column),
    "expect_column_values_to_not_be_null": (("column", "mostly"), lambda given: _column(given, nulls=1 - _mostly(given))),
    "expect_column_values_to_be_null": (("column", "mostly"), lambda given: _holds(given, f"{_name(given['column'])} IS NULL")),
    "expect_column_values_to_be_between": ((*_RANGE, "mostly", "strict_min", "strict_max"), _between),
    "expect_column_values_to_be_in_set": (
        ("column", "value_set", "mostly"),
        lambda given: _column(given, values=given["value_set"], share=_mostly(given)),
    ),
    "expect_column_distinct_values_to_be_in_set": (("column", "value_set"), lambda given: _column(given, values=given["value_set"])),
    "expect_column_values_to_not_be_in_set": (
        ("column", "value_set", "mostly"),
        lambda given: _holds(given, f"{_name(given['column'])} NOT IN ({_literals(given['value_set'])})"),
    ),
    "expect_column_values_to_be_of_type": (("column", "type_", "mostly"), _type),
    "expect_column_values_to_be_in_type_list": (("column", "type_list", "mostly"), _type),
    "expect_column_values_to_be_unique": (("column", "mostly"), lambda given: _column(given, unique=_mostly(given))),
    "expect_compound_columns_to_be_unique": (("column_list",), _compound),
    "expect_column_values_to_match_regex": (
        ("column", "regex", "mostly"),
        lambda given: _column(given, regex=f"^(?:{given['regex']})", share=_mostly(given)),
    ),
    "expect_column_value_lengths_to_be_between": (
        (*_RANGE, "mostly"),
        lambda given: _column(given, length=_range(given), share=_mostly(given)),
    ),
    "expect_column_value_lengths_to_equal": (
        ("column", "value", "mostly"),
        lambda given: _column(given, length=_range(given, "value", "value"), share=_mostly(given)),
    ),
    "expect_column_mean_to_be_between": (_RANGE, lambda given: _column(given, mean=_range(given))),
    "expect_column_median_to_be_between": (_RANGE, lambda given: _column(given, quantiles={"0.5": _range(given)})),
    "expect_column_min_to_be_between": (_RANGE, lambda given: _column(given, quantiles={"0": _range(given)})),
    "expect_column_max_to_be_between": (_RANGE, lambda given: _column(given, quantiles={"1": _range(given)})),
    "expect_column_quantile_values_to_be_between": (("column", "quantile_ranges"), _quantiles),
    "expect_column_unique_value_count_to_be_between": (_RANGE, lambda given: _column(given, distinct=_range(given))),
    "expect_column_pair_values_a_to_be_greater_than_b": (
        (*_PAIR, "or_equal"),
        lambda given: _pair(given, ">=" if given.get("or_equal") else ">"),
    ),
    "expect_column_pair_values_to_be_equal": (_PAIR, lambda given: _pair(given, "=")),
    "expect_table_row_count_to_be_between": (("min_value", "max_value"), lambda given: Checks(rows=_range(given))),
    "expect_table_row_count_to_equal": (("value",), lambda given: Checks(rows=_range(given, "value", "value"))),
}
