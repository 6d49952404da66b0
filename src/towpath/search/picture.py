"""A search as a picture: how it went on, which parameters mattered, and where the good trials lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from math import log
from typing import Any

from towpath.evaluation.names import Direction
from towpath.project_search import Dimension
from towpath.report.picture import BLUE, GREY, INK, PALE, RED, SOFT, Form, dressed, written
from towpath.search.spaces import Space, index
from towpath.search.trials import State, Tried

WIDTH, HEIGHT, LABELS = 680, 220, 110
MOST_AXES = 10  # of parallel coordinates: the most important parameters
_STATES = {"complete": BLUE, "pruned": GREY, "running": PALE}
_Row = dict[str, Any]


def drawn(
    trials: Sequence[Tried], space: Space, better: Direction, *, metric: str, importance: Mapping[str, float], form: Form = "png"
) -> bytes:
    """The picture as a file of this form.

    Args:
        importance: of each parameter, the largest first, as ``optuna_study.importance`` tells it; empty where it is not known.

    Raises:
        ModuleNotFoundError: the extra ``plots`` is not installed.
    """
    return written(picture(trials, space, better, metric=metric, importance=importance), form)


def picture(trials: Sequence[Tried], space: Space, better: Direction, *, metric: str, importance: Mapping[str, float]) -> Any:
    """The picture as an Altair chart; what cannot be said of so few trials is left out."""
    altair = import_module("altair")
    charts = [_history(altair, trials, better, metric)]
    if importance:
        charts.append(_importance(altair, importance))
    complete = [one for one in trials if one.value is not None]
    if len(complete) > 1:
        named = [name for name in importance if name in space] or list(space)
        charts.append(_coordinates(altair, complete, {name: space[name] for name in named[:MOST_AXES]}, better, metric))
    return dressed(altair.vconcat(*charts, spacing=44), offset=12)


def _data(altair: Any, rows: Sequence[_Row]) -> Any:
    return altair.Data(values=list(rows))


def _history(altair: Any, trials: Sequence[Tried], better: Direction, metric: str) -> Any:
    """Each trial's value, and the best so far; a pruned one has the mean of its folds so far, a failed one a mark at the foot."""
    valued = [one for one in trials if one.values and one.state is not State.FAILED]
    means = [sum(one.values) / len(one.values) for one in valued]
    rows = [{"trial": one.number + 1, "value": mean, "state": one.state.value} for one, mean in zip(valued, means, strict=True)]
    failed = [{"trial": one.number + 1, "because": one.because} for one in trials if one.state is State.FAILED]
    x = altair.X(
        "trial:Q", title="trial", scale=altair.Scale(domain=[-0.5, len(trials) - 0.5], nice=False), axis=_steps(altair, len(trials))
    )
    ends = altair.Scale(domain=_around(means), nice=True)
    y = altair.Y("value:Q", title=None, scale=ends, axis=altair.Axis(minExtent=LABELS, maxExtent=LABELS))
    there = [state for state in _STATES if any(row["state"] == state for row in rows)]
    colours = altair.Scale(domain=there, range=[_STATES[state] for state in there])
    legend = altair.Legend(title=None, orient="bottom", direction="horizontal") if len(there) > 1 else None
    points = altair.Chart(_data(altair, rows)).mark_point(filled=True, size=46, opacity=0.85)
    line = altair.Chart(_data(altair, list(_best_so_far(trials, better)))).mark_line(interpolate="step-after", color=INK, strokeWidth=1.5)
    layers = [line.encode(x=x, y=y), points.encode(x=x, y=y, color=altair.Color("state:N", scale=colours, legend=legend))]
    if failed:
        marks = altair.Chart(_data(altair, failed)).mark_tick(orient="vertical", color=RED, thickness=2, size=10, yOffset=-5)
        layers.append(marks.encode(x=x, y=altair.value(HEIGHT)))
    counts = {state: sum(one.state is state for one in trials) for state in State}
    said = ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)
    title = altair.Title(f"how {metric} went on", subtitle=f"trials: {said}; the line is the best so far", frame="bounds")
    return altair.layer(*layers, title=title, width=WIDTH, height=HEIGHT)


def _steps(altair: Any, trials: int) -> Any:
    return altair.Axis(grid=False, values=list(range(0, trials, max(1, trials // 12))), format="d")


def _around(values: Sequence[float]) -> list[float]:
    """Ends of a scale with a little room, also where all values are one."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.06 * (high - low) or 0.1 * abs(low) or 1.0
    return [low - room, high + room]


def _best_so_far(trials: Sequence[Tried], better: Direction) -> Iterator[_Row]:
    best: float | None = None
    for one in trials:
        value = one.value
        if value is not None and (best is None or (value > best) == (better is Direction.HIGHER)):
            best = value
        if best is not None:
            yield {"trial": one.number + 1, "value": best}


def _importance(altair: Any, importance: Mapping[str, float]) -> Any:
    rows = [{"parameter": name, "share": share, "text": f"{share:.0%}"} for name, share in importance.items()]
    axis = altair.Axis(labelFontSize=11, labelPadding=8, labelLimit=LABELS, minExtent=LABELS, maxExtent=LABELS)
    most = max(importance.values()) or 1.0
    title = altair.Title("which parameters mattered", subtitle="share in what makes values differ over the space (fANOVA)", frame="bounds")
    base = altair.Chart(_data(altair, rows), title=title, width=WIDTH, height=22 * len(rows)).encode(
        y=altair.Y("parameter:N", sort=list(importance), title=None, axis=axis),
        x=altair.X("share:Q", axis=None, scale=altair.Scale(domain=[0, most * 1.15])),
    )
    text = base.mark_text(align="left", dx=6, fontSize=11, color=SOFT).encode(text="text:N")
    return base.mark_bar(size=13, cornerRadiusEnd=2, color=BLUE).encode() + text


def _coordinates(altair: Any, complete: Sequence[Tried], space: Space, better: Direction, metric: str) -> Any:
    """A line a trial through its parameters, from pale to dark by its rank."""
    values = [one.value or 0.0 for one in complete]
    low, high = min(values), max(values)
    ranked = sorted(complete, key=lambda one: one.value or 0.0, reverse=better is Direction.LOWER)
    rows = [
        {"trial": one.number, "axis": axis, "place": where, "rank": rank / (len(ranked) - 1)}
        for rank, one in enumerate(ranked)
        for axis, where in [
            *((name, placed(dimension, one.parameters[name])) for name, dimension in space.items()),
            (metric, ((one.value or 0.0) - low) / (high - low) if high > low else 0.5),
        ]
    ]
    axes = [*space, metric]
    x = altair.X(
        "axis:N", sort=axes, title=None, axis=altair.Axis(orient="top", labelAngle=0, labelFontSize=11, labelColor=INK, domain=False)
    )
    room = altair.Axis(labels=False, grid=False, title=None, minExtent=LABELS, maxExtent=LABELS)
    y = altair.Y("place:Q", axis=room, scale=altair.Scale(domain=[-0.04, 1.04]))
    colour = altair.Color("rank:Q", scale=altair.Scale(range=[PALE, BLUE, INK]), legend=None)
    lines = altair.Chart(_data(altair, rows)).mark_line(strokeWidth=1.6, opacity=0.75).encode(x=x, y=y, detail="trial:N", color=colour)
    rules = altair.Chart(_data(altair, [{"axis": axis, "place": 0.0, "end": 1.0} for axis in axes])).mark_rule(color=GREY)
    ends = [*(row for name, dimension in space.items() for row in _ticks(name, dimension)), *_ends(metric, low, high)]
    text = altair.Chart(_data(altair, ends)).encode(x=x, y=y, text="text:N")
    halo = text.mark_text(align="left", dx=6, fontSize=10, stroke="white", strokeWidth=4)
    texts = halo + text.mark_text(align="left", dx=6, fontSize=10, color=SOFT)
    title = altair.Title(
        "where the good trials lie", subtitle=f"a line a complete trial; the darker, the better its {metric}", frame="bounds"
    )
    layers = (rules.encode(x=x, y=y, y2="end:Q"), lines, texts)
    return altair.layer(*layers, title=title, width=WIDTH, height=HEIGHT + 20)


def placed(dimension: Dimension, value: Any) -> float:
    """Where a value lies on its axis: 0 at the lower end or the first choice, 1 at the upper end or the last.

    >>> placed(Dimension(float=(0.01, 1), log=True), 0.1), placed(Dimension(choice=("a", "b", "c")), "c")
    (0.5, 1.0)
    """
    if dimension.ends is None:
        return index(dimension, value) / (len(dimension.choice) - 1) if len(dimension.choice) > 1 else 0.5
    low, high = dimension.ends
    if low == high:
        return 0.5
    return log(value / low) / log(high / low) if dimension.log else (value - low) / (high - low)


def _ticks(name: str, dimension: Dimension) -> list[_Row]:
    if dimension.ends:
        return _ends(name, *dimension.ends)
    return [{"axis": name, "place": placed(dimension, one), "text": str(one)} for one in dimension.choice]


def _ends(name: str, low: float, high: float) -> list[_Row]:
    return [{"axis": name, "place": place, "text": f"{end:.4g}"} for place, end in ((0.0, low), (1.0, high))]
