"""How checks speak: ranges, counts and values in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from towpath.project_checks import ColumnCheck
from towpath.quantities import written
from towpath.verdict import Answer, Verdict

Edge = float | datetime | None


def verdict(gate: str, answer: Answer, because: str, **numbers: float) -> Verdict:
    """A verdict whose numbers are floats."""
    return Verdict(gate=gate, answer=answer, because=because, numbers={key: float(value) for key, value in numbers.items()})


def wanted(check: ColumnCheck) -> str:
    """What a check asks of its column.

    >>> wanted(ColumnCheck(type="number", nulls=0, min=0, max=5000))
    'number; nulls <= 0; 0 to 5000'
    """
    parts: list[str] = [check.type] if check.type else []
    parts += [f"nulls <= {check.nulls:.3g}"] if check.nulls < 1 else []
    parts += [f"complete >= {check.complete:.3g}"] if check.complete else []
    parts += values_wanted(check)
    parts += ["unique" if check.unique == 1 else f"unique >= {check.unique:.3g}"] if check.unique else []
    figures = [("distinct", check.distinct), ("mean", check.mean), *((quantile(share), one) for share, one in check.quantiles.items())]
    parts += [f"{name} {span(bounds.min, bounds.max)}" for name, bounds in figures if bounds]
    parts += [f"newest within {written(check.fresh)}"] if check.fresh is not None else []
    return "; ".join(parts) or "is there"


def values_wanted(check: ColumnCheck) -> list[str]:
    """What a check asks of each value."""
    parts = [span(check.min, check.max)] if check.min is not None or check.max is not None else []
    parts += [f"one of {', '.join(map(str, check.values))}"] if check.values is not None else []
    parts += [f"matches {check.regex}"] if check.regex is not None else []
    parts += [f"length {span(check.length.min, check.length.max)}"] if check.length else []
    return [*parts, f"for {check.share:.3g} of the values"] if parts and check.share < 1 else parts


def quantile(share: float) -> str:
    """The name of a quantile.

    >>> quantile(0.99)
    'quantile 0.99'
    """
    return f"quantile {share:.6g}"


def span(low: Edge, high: Edge) -> str:
    """A range.

    >>> span(0, 5000), span(None, 7), span(None, None)
    ('0 to 5000', 'at most 7', 'any number')
    """
    if low is None or high is None:
        return f"at least {edge(low)}" if low is not None else f"at most {edge(high)}" if high is not None else "any number"
    return f"{edge(low)} to {edge(high)}"


def edge(value: float | datetime | None) -> str:
    """One end of a range."""
    return f"{value:%Y-%m-%d %H:%M}".removesuffix(" 00:00") if isinstance(value, datetime) else f"{value:.15g}"


def count(number: int, what: str) -> str:
    """So many of something.

    >>> count(1, "row"), count(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def others(wrong: Sequence[object]) -> str:
    """How many more files there are at fault than the first."""
    return f" (and {count(len(wrong) - 1, 'more file')})" if len(wrong) > 1 else ""


def shown(value: Any) -> str:
    """A value, short; a time as people write it.

    >>> shown("x" * 99)[-5:], shown(datetime(2013, 5, 3))
    ('xx...', '2013-05-03 00:00:00')
    """
    return short(str(value) if isinstance(value, datetime) else repr(value))


def short(text: str) -> str:
    """A text that fits into a sentence."""
    return text if len(text) <= 60 else f"{text[:57]}..."
