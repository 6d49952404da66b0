"""From what towpath.yaml declares to rules and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import partial

import polars as pl

from towpath.data.checks import conditions, figures
from towpath.data.checks.rule import Faulty, Figure, Key, Rule
from towpath.data.checks.wording import edge, quantile, span, wanted
from towpath.errors import UnknownName
from towpath.project_checks import Bounds, Checks, ColumnCheck, Expression
from towpath.quantities import written

_SQL = "write a condition on columns in SQL: arr_delay >= dep_delay - 60"
Keys = Callable[[str], pl.Series | None]
"""The values of a foreign ``dataset.column``; None where that could not be read. Raises UnknownName."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """All that is asked of a dataset: ``gates`` in order, the ``columns`` that are spoken of, the ``types`` that were declared."""

    rows: tuple[Bounds, ...]
    rules: tuple[Rule, ...]
    figures: tuple[Figure, ...]
    gates: tuple[str, ...]
    columns: tuple[str, ...]
    types: dict[str, str]


def asked(name: str, checks: Sequence[tuple[Key, Checks]], keys: Keys, now: datetime) -> Asked:
    """What several checks of one dataset ask together; each comes with its place below ``checks`` in towpath.yaml.

    Args:
        keys: the values that foreign keys refer to.

    Raises:
        Faulty: an expression cannot be parsed or names no column, a regular expression is none, or there is no such foreign key.
    """
    rules = tuple(rule for below, one in checks for rule in _rules(name, one, keys, below))
    figures = tuple(figure for below, one in checks for figure in _figures(name, one, now, below))
    of_columns = [(column, check) for _, one in checks for column, check in one.columns.items()]
    gates = [*(f"{name}.{column}: {wanted(check)}" for column, check in of_columns), *(rule.gate for rule in rules)]
    names = [*(column for column, _ in of_columns), *(column for rule in rules for column in rule.columns)]
    return Asked(
        rows=tuple(one.rows for place, (_, one) in enumerate(checks) if not place or one.rows != Bounds()),
        rules=rules,
        figures=figures,
        gates=tuple(dict.fromkeys(gates)),
        columns=tuple(dict.fromkeys(names)),
        types={column: check.type for column, check in reversed(of_columns) if check.type},
    )


def _rules(name: str, checks: Checks, keys: Keys, below: Key) -> Iterator[Rule]:
    for column, check in checks.columns.items():
        yield from _of_column(f"{name}.{column}: {wanted(check)}", (*below, "columns", column), column, check)
    for number, names in enumerate(checks.unique):
        yield _unique(f"{name}: unique {', '.join(names)}", (*below, "unique", number), names, 1.0)
    for number, expression in enumerate(checks.expressions):
        yield _expression(name, (*below, "expressions", number), expression)
    for column, target in checks.foreign_keys.items():
        yield _foreign_key(name, (*below, "foreign_keys", column), column, target, keys)


def _foreign_key(name: str, key: Key, column: str, target: str, keys: Keys) -> Rule:
    try:
        known = keys(target)
    except UnknownName as fault:
        raise Faulty(key, fault.what, mend=fault.mend) from None
    return Rule(
        gate=f"{name}.{column}: in {target}",
        key=key,
        columns=(column,),
        subject=f"column {column}",
        how=f"is not in {target}",
        bad=partial(conditions.orphan, column, known),
    )


def _of_column(gate: str, key: Key, column: str, check: ColumnCheck) -> Iterator[Rule]:
    one = partial(Rule, gate=gate, columns=(column,), subject=f"column {column}")
    if check.nulls < 1:
        bad, counted = partial(conditions.null, column), partial(conditions.nulls, column)
        yield one(key=(*key, "nulls"), how="is null", bad=bad, none_if_zero=counted, allowed=check.nulls, shows=False)
    if check.complete > 0:
        bad = partial(conditions.null, column)
        yield one(key=(*key, "complete"), how="is null", bad=bad, allowed=1 - check.complete, shows=False, whole=True)
    if check.unique > 0:
        yield _unique(gate, (*key, "unique"), (column,), check.unique)
    of_value = partial(one, allowed=1 - check.share, of_values=True)
    if check.min is not None or check.max is not None:
        bad, worst = (partial(condition, column, check.min, check.max) for condition in (conditions.outside, conditions.how_far))
        yield of_value(key=(*key, _first(check, "min", "max")), how=f"is outside {span(check.min, check.max)}", bad=bad, worst=worst)
    if check.values is not None:
        how = f"is none of {', '.join(map(str, check.values))}"
        yield of_value(key=(*key, "values"), how=how, bad=partial(conditions.strange, column, check.values))
    if check.regex is not None:
        _compiled(check.regex, (*key, "regex"))
        yield of_value(key=(*key, "regex"), how=f"does not match {check.regex}", bad=partial(conditions.unmatched, column, check.regex))
    if check.length is not None:
        how = f"does not have {span(check.length.min, check.length.max)} characters"
        yield of_value(key=(*key, "length"), how=how, bad=partial(conditions.long, column, check.length))


def _first(check: ColumnCheck, *names: str) -> str:
    return next(name for name in names if getattr(check, name) is not None)


def _unique(gate: str, key: Key, names: tuple[str, ...], share: float) -> Rule:
    return Rule(
        gate=gate,
        key=key,
        columns=names,
        subject=f"column {names[0]}" if len(names) == 1 else f"({', '.join(names)})",
        how="is not unique",
        bad=partial(conditions.repeated, names),
        none_if_zero=partial(conditions.repetitions, names),
        allowed=1 - share,
        of_values=len(names) == 1,
        whole=True,
    )


def _compiled(regex: str, key: Key) -> None:
    try:
        pl.Series([""]).str.contains(regex)
    except pl.exceptions.PolarsError as fault:
        lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
        reason = next((line for line in lines if line.startswith("error: ")), lines[0]).removeprefix("error: ")
        raise Faulty(
            key, f"{regex!r} is no regular expression: {reason}", mend="write it as Rust's regex reads it (docs.rs/regex)"
        ) from None


def _expression(name: str, key: Key, declared: Expression) -> Rule:
    try:
        parsed = pl.sql_expr(declared.holds)
    except pl.exceptions.PolarsError as fault:
        reason = str(fault).splitlines()[0]
        raise Faulty(key, f"`{declared.holds}` is no expression: {reason}", mend=_SQL) from None
    names = tuple(dict.fromkeys(parsed.meta.root_names()))
    if not names or any(name.startswith("_POLARS_TMP") for name in names):  # a subquery becomes a column of such a name
        reason = "has a query within" if names else "names no column"
        raise Faulty(key, f"`{declared.holds}` {reason}", mend=_SQL)
    return Rule(
        gate=f"{name}: {declared.holds}" + (f" for {declared.share:.3g} of the rows" if declared.share < 1 else ""),
        key=key,
        columns=names,
        subject=f"`{declared.holds}`",
        how="does not hold",
        bad=partial(conditions.false, parsed),
        allowed=1 - declared.share,
    )


def must_be_there(rule: Rule, known: Mapping[str, object]) -> None:
    """Raises Faulty when a rule over columns names one that no file has and none had: that is a slip of the pen, no bad data."""
    for column in rule.columns:
        if column not in known:
            near = get_close_matches(column, list(known), n=3)
            mend = f"did you mean {' or '.join(near)}?" if near else f"there is: {', '.join(known)}"
            raise Faulty(rule.key, f"there is no column {column}, which {rule.subject} needs", mend=mend)


def _figures(name: str, checks: Checks, now: datetime, below: Key) -> Iterator[Figure]:
    for column, check in checks.columns.items():
        one = partial(Figure, gate=f"{name}.{column}: {wanted(check)}", column=column)
        key = (*below, "columns", column)
        ranges: list[tuple[str, Bounds | None, Callable[..., pl.Expr]]] = [
            ("distinct", check.distinct, partial(figures.distinct, column)),
            ("mean", check.mean, partial(figures.mean, column)),
            *((quantile(share), bounds, partial(figures.quantile, column, share)) for share, bounds in check.quantiles.items()),
        ]
        for what, bounds, of in ranges:
            if bounds:
                words = {"distinct": "number of different values", "mean": "mean"}.get(what, what)
                yield one(
                    key=(*key, what.split()[0].replace("quantile", "quantiles")),
                    what=f"the {words} of column {column}",
                    of=of,
                    low=bounds.min,
                    high=bounds.max,
                    shown=edge,
                )
        if check.fresh is not None:
            limit, of = check.fresh.total_seconds(), partial(figures.age, column, now.astimezone(UTC).replace(tzinfo=None))
            what = f"the age of the newest {column}"
            yield one(key=(*key, "fresh"), what=what, of=of, low=None, high=limit, shown=_age)


def _age(seconds: float) -> str:
    """An age for people: in days from two days on.

    >>> _age(5400), _age(3 * 86400 + 7200)
    ('90min', '3.08d')
    """
    return f"{seconds / 86400:.3g}d" if abs(seconds) > 2 * 86400 and seconds % 86400 else written(timedelta(seconds=round(seconds)))
