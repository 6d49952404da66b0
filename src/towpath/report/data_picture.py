"""Differences of data as a picture: how many files and rows, how far which columns moved, and what they looked like before and after."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from towpath.data.difference import Cell, Difference, Shift
from towpath.report.data_diff import LEAST_SHOWN
from towpath.report.picture import BLUE, GREY, INK, SOFT, Form, dressed, written

COLUMNS, DISTRIBUTIONS = 10, 6  # how many columns are ranked, and how many of them are shown before and after
ABREAST = 3
WIDTH, LABELS = 680, 110
MOST_CELLS = 24
_COLOURS = {"added": "#2e9e6b", "removed": "#c94f4f", "changed": "#e0a030", "moved": "#8b93a7"}
_SHORT = (
    (re.compile(r"^a value from (\S+) to (\S+)$"), r"\1 to \2"),
    (re.compile(r"^a value below "), "< "),
    (re.compile(r"^a value above "), "> "),
    (re.compile(r"^a rare or new value$"), "rare or new"),
    (re.compile(r"^'(.*)'$"), r"\1"),
)


def drawn(found: Sequence[Difference], form: Form) -> bytes:
    """The picture of all datasets that differ, or of a sentence where none does.

    Raises:
        ModuleNotFoundError: the extra ``plots`` is not installed.
    """
    altair = import_module("altair")
    charts = [_dataset(altair, one) for one in found if not one.files.is_same] or [_nothing(altair)]
    return written(dressed(altair.vconcat(*charts, spacing=48)), form)


def _nothing(altair: Any) -> Any:
    return altair.Chart(_values([{"text": "nothing differs"}])).mark_text(size=16, color=SOFT).encode(text="text:N").properties(width=WIDTH)


def _values(rows: Sequence[dict[str, Any]]) -> Any:
    return import_module("altair").Data(values=list(rows))


def _dataset(altair: Any, one: Difference) -> Any:
    parts = [_counts(altair, one)]
    moved = [shift for shift in one.shifts if shift.share > 0][:COLUMNS]
    if moved:
        parts.append(_ranked(altair, moved))
    if shown := [shift for shift in moved if shift.cells and shift.effect >= LEAST_SHOWN][:DISTRIBUTIONS]:
        parts.append(_distributions(altair, shown))
    title = altair.Title(
        f"{one.dataset}: {one.before} → {one.after}", subtitle=_subtitles(one), fontSize=18, subtitleFontSize=12, offset=18
    )
    return altair.vconcat(*parts, spacing=28).resolve_scale(color="independent").properties(title=title)


def _subtitles(one: Difference) -> list[str]:
    said = [f"{one.rows.before:,} rows before, {one.rows.after:,} after"] if one.rows and one.rows.after >= 0 else []
    changed = [f"+ {name}" for name in one.columns.added] + [f"− {name}" for name in one.columns.removed]
    changed += [f"{name}: {was} → {now}" for name, (was, now) in one.columns.retyped.items()]
    said += [f"columns: {', '.join(changed[:6])}{' …' if len(changed) > 6 else ''}"] if changed else []
    return [*said, *([one.trouble] if one.trouble else [])]


def _counts(altair: Any, one: Difference) -> Any:
    """A bar for each kind of change, of files and of rows."""
    files = {kind: len(getattr(one.files, kind)) for kind in ("added", "removed", "changed", "moved")}
    charts = [_bars(altair, "files", files)]
    if one.rows:
        charts.append(_bars(altair, "rows", {kind: getattr(one.rows, kind) for kind in ("added", "removed", "changed")}))
    return altair.hconcat(*charts, spacing=24)


def _bars(altair: Any, what: str, counts: dict[str, int]) -> Any:
    data = _values([{"kind": kind, "count": count, "text": f"{count:,}"} for kind, count in counts.items()])
    most = max(1, *counts.values())
    base = altair.Chart(data, title=what, width=(WIDTH - LABELS) / 2, height=18 * len(counts)).encode(
        y=altair.Y("kind:N", sort=list(counts), title=None, axis=_labels(altair)),
        x=altair.X("count:Q", title=None, axis=None, scale=altair.Scale(domain=[0, most * 1.2])),
    )
    colours = altair.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
    bars = base.mark_bar(size=12, cornerRadiusEnd=2).encode(color=altair.Color("kind:N", scale=colours, legend=None))
    return bars + base.mark_text(align="left", dx=5, color=INK, fontSize=11).encode(text="text:N")


def _labels(altair: Any) -> Any:
    return altair.Axis(labelFontSize=11, labelPadding=8, labelLimit=LABELS, minExtent=LABELS, maxExtent=LABELS)


def _ranked(altair: Any, moved: Sequence[Shift]) -> Any:
    """Columns by effect; grey where it is harmless."""
    rows = [
        {
            "column": shift.column,
            "effect": shift.effect,
            "text": f"{shift.effect:.1%} · {shift.because}",
            "far": shift.effect >= LEAST_SHOWN,
        }
        for shift in moved
    ]
    subtitle = "share of the rows that lies elsewhere than before, beyond chance"
    base = altair.Chart(
        _values(rows), title=altair.Title("how far columns moved", subtitle=subtitle), width=WIDTH, height=22 * len(rows)
    ).encode(
        y=altair.Y(
            "column:N",
            sort=[shift.column for shift in moved],
            title=None,
            axis=_labels(altair),
        ),
        x=altair.X("effect:Q", axis=None, scale=altair.Scale(domain=[0, max(0.1, moved[0].effect) * 3])),
    )
    colour = altair.condition("datum.far", altair.value(BLUE), altair.value(GREY))
    return base.mark_bar(size=13, cornerRadiusEnd=2).encode(color=colour) + base.mark_text(
        align="left", dx=6, fontSize=11, color=SOFT, limit=WIDTH * 0.66
    ).encode(text="text:N")


def _distributions(altair: Any, moved: Sequence[Shift]) -> Any:
    rows = [moved[place : place + ABREAST] for place in range(0, len(moved), ABREAST)]
    charts = [altair.hconcat(*(_distribution(altair, one) for one in row), spacing=52) for row in rows]
    title = altair.Title("what they looked like", subtitle="share of the rows: before in grey, after in blue", offset=14)
    return altair.vconcat(*charts, spacing=24, title=title)


def _distribution(altair: Any, shift: Shift) -> Any:
    """One column's cells, before in grey behind after."""
    cells = shift.cells if len(shift.cells) <= MOST_CELLS else _largest(shift.cells)
    names = [short(cell.name) for cell in cells]
    data = _values([{"cell": name, "before": cell.before, "after": cell.after} for name, cell in zip(names, cells, strict=True)])
    axis = altair.Axis(title=None, labelAngle=-50, labelFontSize=9, labelLimit=74, labelOverlap=len(names) > 10)
    base = altair.Chart(data, title=altair.Title(shift.column, fontSize=12), width=(WIDTH - 2 * 52) / ABREAST, height=90)
    base = base.encode(x=altair.X("cell:N", sort=names, axis=axis))
    share = altair.Axis(format="%", tickCount=3, title=None, labelFontSize=9, minExtent=30, maxExtent=30)
    return base.mark_bar(color=GREY, width={"band": 0.95}).encode(y=altair.Y("before:Q", axis=share)) + base.mark_bar(
        color=BLUE, width={"band": 0.5}, opacity=0.9
    ).encode(y=altair.Y("after:Q", axis=share))


def _largest(cells: Sequence[Cell]) -> list[Cell]:
    return sorted(cells, key=lambda cell: -max(cell.before, cell.after))[:MOST_CELLS]


def short(name: str) -> str:
    """A cell's name where there is little room.

    >>> short("a value from 13.1 to 37.64"), short("'north'"), short("a value above 36")
    ('13.1 to 37.64', 'north', '> 36')
    """
    for pattern, by in _SHORT:
        name = pattern.sub(by, name)
    return name
