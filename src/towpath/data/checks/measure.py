"""Rules and figures held against the data: one lazy pass for all of them, then a second look at what failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from towpath.data.checks.rule import Figure, Rule, Unfit
from towpath.data.checks.table import FILE, ROW, Table, together

_WORST = "towpath_worst"
_ROUNDING = 1e-9  # of a share such as 1 - 0.99


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one table said to a rule: so many rows are ``bad`` of ``among``; or, in ``unfit``, why it could not answer."""

    rule: Rule
    table: Table
    bad: int = 0
    among: int = 0
    unfit: Unfit | None = None

    @property
    def is_fault(self) -> bool:
        """Whether more rows are at fault than may be."""
        return self.bad > self.rule.allowed * self.among + _ROUNDING


@dataclass(frozen=True, kw_only=True)
class Value:
    """A figure's ``value``, None where its column has none; or, in ``unfit``, why there is no such figure."""

    figure: Figure
    value: float | None = None
    unfit: Unfit | None = None


class _Select:
    """All expressions that are asked of one table, to be evaluated together."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._asked: list[pl.Expr] = []
        self._said: dict[str, Any] = {}

    def ask(self, expression: pl.Expr) -> Callable[[], Any]:
        """What gives the expression's value once the select has run; it raises Unfit where that could not be computed."""
        name = str(len(self._asked))
        self._asked.append(expression.alias(name))
        return lambda: self._answer(name)

    def _answer(self, name: str) -> Any:
        if isinstance(said := self._said[name], Unfit):
            raise said
        return said

    @property
    def lazy(self) -> pl.LazyFrame:
        """The select, not yet run."""
        return self.table.frame.select(self._asked)

    def take(self, row: pl.DataFrame) -> None:
        """Keep the values."""
        self._said = row.row(0, named=True) if row.height else {}

    def one_by_one(self) -> None:
        """Run each expression alone, for some of them cannot be evaluated on these values."""
        for number, expression in enumerate(self._asked):
            try:
                self._said[str(number)] = self.table.frame.select(expression).collect().item()
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as fault:
                self._said[str(number)] = Unfit("", str(fault).splitlines()[0])


def measure(tables: Sequence[Table], rules: Sequence[Rule], figures: Sequence[Figure]) -> tuple[list[Reading], list[Value]]:
    """Every rule and every figure, in one pass over the data: all that is asked of a table is one ``select``.

    A rule is asked of each table that has its columns; rules and figures of the whole are asked of all tables together.
    """
    if not tables:
        return [], []
    selects = [_Select(table) for table in tables]
    names = {column for rule in rules if rule.whole for column in rule.columns} | {figure.column for figure in figures}
    whole = selects[0] if len(selects) == 1 else _Select(together(tables, sorted(names)))
    readings = [
        _asked(rule, select)
        for rule in rules
        for select in ([whole] if rule.whole else selects)
        if all(column in select.table.schema for column in rule.columns)
    ]
    values = [_valued(figure, whole) for figure in figures if figure.column in whole.table.schema]
    _run(list({id(select): select for select in (*selects, whole)}.values()))
    return [reading() for reading in readings], [value() for value in values]


def _run(selects: Sequence[_Select]) -> None:
    try:
        rows = pl.collect_all([select.lazy for select in selects])
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        for select in selects:
            select.one_by_one()
        return
    for select, row in zip(selects, rows, strict=True):
        select.take(row)


def _asked(rule: Rule, select: _Select) -> Callable[[], Reading]:
    said = partial(Reading, rule=rule, table=select.table)
    try:
        bad = select.ask(rule.count(select.table))
    except Unfit as unfit:
        return partial(said, unfit=unfit)
    of_values = rule.of_values and rule.allowed > 0
    among = select.ask(pl.col(rule.columns[0]).count()) if of_values else lambda: select.table.height
    return partial(_read, said, bad, among)


def _read(said: Callable[..., Reading], bad: Callable[[], Any], among: Callable[[], Any]) -> Reading:
    try:
        return said(bad=int(bad() or 0), among=int(among()))
    except Unfit as unfit:
        return said(unfit=unfit)


def _valued(figure: Figure, select: _Select) -> Callable[[], Value]:
    try:
        value = select.ask(figure.of(select.table))
    except Unfit as unfit:
        return partial(Value, figure=figure, unfit=unfit)
    return lambda: Value(figure=figure, value=value())


def at_fault(readings: Sequence[Reading]) -> list[pl.DataFrame]:
    """For each reading the rows at fault: their file, row and what the rule speaks of; the worst first."""
    return pl.collect_all([_rows(reading.rule, reading.table) for reading in readings])


def _rows(rule: Rule, table: Table) -> pl.LazyFrame:
    worst = [rule.worst(table).alias(_WORST)] if rule.worst else []
    found = table.located.filter(rule.bad(table)).select(FILE, ROW, *rule.columns, *worst)
    return found.sort(_WORST, descending=True, maintain_order=True).drop(_WORST) if worst else found
