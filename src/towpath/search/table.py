"""What a search tried, as text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath import events as ev
from towpath.report.columns import aligned
from towpath.search.portfolio import MODEL
from towpath.search.searched import Searched
from towpath.search.trials import Tried


def trials(told: ev.ParametersChosen, found: Searched) -> str:
    """How the search went, its leaderboard where models competed, and every trial, the best first."""
    head = f"run {told.run} searched by {found.metric} ({told.way}: {told.because}): {found.value:.4g} with {named(found.parameters)}"
    return "\n\n".join(part for part in (head, _leaderboard(found), _table(found)) if part)


def _leaderboard(found: Searched) -> str:
    rows = [(one.contender, f"{one.value:.4g}", str(one.trials), f"{one.seconds:.1f} s", named(one.parameters)) for one in found.standings]
    out = [(name, "-", "-", "-", because) for name, because in found.left_out.items()]
    return aligned([("model", found.metric, "trials", "took", "with"), *rows, *out], right=[1, 2, 3]) if rows else ""


def _table(found: Searched) -> str:
    ordered = sorted(enumerate(found.trials, start=1), key=lambda one: _worth(one[1], found))
    rows = [
        (str(number), _value(one), one.state.value, f"{one.seconds:.1f} s", one.because or named(one.parameters)) for number, one in ordered
    ]
    return aligned([("trial", found.metric, "state", "took", "with"), *rows], right=[0, 1, 3])


def _worth(tried: Tried, found: Searched) -> tuple[bool, float]:
    value = tried.value
    return value is None, (value or 0.0) * (-1 if found.better.value == "higher" else 1)


def _value(tried: Tried) -> str:
    return "-" if tried.value is None else f"{tried.value:.4g}"


def named(parameters: Mapping[str, Any]) -> str:
    """Parameters in a line.

    >>> named({"trees": 200, "rate": 0.123456})
    'trees 200, rate 0.1235'
    """
    first = sorted(parameters.items(), key=lambda item: item[0] != MODEL)
    return ", ".join(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in first)
