"""What a check comes to: rules that rows keep to, and figures of the whole dataset, each a Polars expression for a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from towpath.data.checks.table import Table
from towpath.errors import UsageError

Key = tuple[str | int, ...]


class Faulty(UsageError):
    """A check that no data could be held against; ``key`` is its place below ``checks`` in towpath.yaml."""

    def __init__(self, key: Key, what: str, *, mend: str) -> None:
        self.key = key
        super().__init__(what, mend=mend)


class Unfit(Exception):
    """A table has no answer to a rule: its ``column`` is of another kind (empty: it concerns none by itself)."""

    def __init__(self, column: str, reason: str) -> None:
        self.column, self.reason = column, reason
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Something that rows must keep to, all but a share ``allowed`` of them.

    ``bad`` tells which rows do not: true for those, false or null for the others; it raises Unfit. ``subject`` and ``how`` make a
    sentence: *column distance* / *is outside 0 to 5000*. Where ``of_values``, a share is of the rows that have a value. ``whole``:
    it holds for all files together, else for each by itself. The row where ``worst`` is greatest is quoted first. ``none_if_zero``
    is cheaper than counting the bad rows, and zero exactly when there are none.
    """

    gate: str
    key: Key
    columns: tuple[str, ...]
    subject: str
    how: str
    bad: Callable[[Table], pl.Expr]
    allowed: float = 0.0
    of_values: bool = False
    whole: bool = False
    shows: bool = True
    worst: Callable[[Table], pl.Expr] | None = None
    none_if_zero: Callable[[Table], pl.Expr] | None = None

    def count(self, table: Table) -> pl.Expr:
        """How many rows are at fault, or another number where all that matters is whether there are any."""
        if self.none_if_zero and not self.allowed:
            return self.none_if_zero(table)
        return self.bad(table).sum()


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of all files together that must lie between ``low`` and ``high``; ``of`` raises Unfit. ``shown`` writes it for people."""

    gate: str
    key: Key
    column: str
    what: str
    of: Callable[[Table], pl.Expr]
    low: float | None
    high: float | None
    shown: Callable[[float], str]

    @property
    def range(self) -> str:
        """Where it must lie, for people."""
        low, high = (None if end is None else self.shown(end) for end in (self.low, self.high))
        if low is not None and high is not None:
            return f"{low} to {high}"
        return f"at least {low}" if low is not None else f"at most {high}"

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in the range."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
