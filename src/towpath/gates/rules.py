"""The rules as values. ``str(rule)`` is the rule as a person writes it, and parses to the same value."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Sense(StrEnum):
    """On which side of its limit a value may lie."""

    AT_LEAST = ">="
    AT_MOST = "<="


class Reference(StrEnum):
    """Against whom a candidate is measured."""

    BASELINE = "baseline"  # the naive model of the task
    CHAMPION = "champion"  # the version that serves
    BEST = "best"  # the best version that was ever live


SCALES = {"": 1.0, "%": 0.01, "us": 1e-6, "ms": 1e-3, "s": 1.0}  # a unit's size: shares in 1, times in seconds


class Quantity(msgspec.Struct, frozen=True):
    """A number with its unit, as written; ``value`` is in shares of 1 or in seconds."""

    number: float
    unit: str = ""

    @property
    def value(self) -> float:
        return self.number / 100 if self.unit == "%" else self.number * SCALES[self.unit]

    def __str__(self) -> str:
        return plain(self.number) + self.unit


class Rule(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What all rules share: that they are values."""


class Fixed(Rule, frozen=True, kw_only=True):
    """A metric of the test rows, or a measured number, against a limit: ``auc >= 0.6``, ``p99 <= 20ms``."""

    subject: str
    sense: Sense
    limit: Quantity

    def __str__(self) -> str:
        return f"{self.subject} {self.sense} {self.limit}"


class Against(Rule, frozen=True, kw_only=True):
    """A metric against another model's on the same rows: ``auc >= champion - 0.005``, ``rmse <= 1.02x champion``.

    Of ``factor`` and ``margin`` (signed) one stays neutral.
    """

    metric: str
    sense: Sense
    reference: Reference
    margin: Quantity = Quantity(0.0)
    factor: float = 1.0

    def __str__(self) -> str:
        factor = f"{plain(self.factor)}x " if self.factor != 1 else ""
        size = Quantity(abs(self.margin.number), self.margin.unit)
        margin = f" {'-' if self.margin.number < 0 else '+'} {size}" if self.margin.number else ""
        return f"{self.metric} {self.sense} {factor}{self.reference}{margin}"


class Each(Rule, frozen=True, kw_only=True):
    """A metric of each value of a column against a limit: ``each(auc, origin) >= 0.55``."""

    metric: str
    column: str
    sense: Sense
    limit: Quantity

    def __str__(self) -> str:
        return f"each({self.metric}, {self.column}) {self.sense} {self.limit}"


class Word(Rule, frozen=True, kw_only=True):
    """A check with a name of its own: ``golden_rows``."""

    word: str

    def __str__(self) -> str:
        return self.word


AnyRule = Fixed | Against | Each | Word


def plain(number: float) -> str:
    """The shortest text that reads as the same number.

    >>> plain(1000.0), plain(0.005), plain(1e-05)
    ('1000', '0.005', '1e-5')
    """
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number).replace("e-0", "e-")
