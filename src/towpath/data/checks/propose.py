"""Checks proposed from the data as it is: what holds now, with some room, so that the next delivery of the same kind passes too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import polars as pl

from towpath.data import columns
from towpath.data.checks.table import Table, of_file, together

_TYPES = ("string", "integer", "number", "boolean", "time")
_ROOM = 0.1  # of the span, on either side
_SET = 20  # texts of so few values are taken for a set, when each occurs so often on average
_STEPS = 31  # so few integers are hours, weekdays or grades: their range is taken as it is
_ENOUGH = 20  # from so few rows nothing is told of uniqueness or lengths

Declared = dict[str, Any]


def propose(files: Sequence[tuple[str, pl.DataFrame]], key: Sequence[str] = ()) -> Declared:
    """The keys below ``checks`` of towpath.yaml for a dataset with these files; they pass on them.

    Types; shares of nulls, half as many again and a per cent as the worst file has; ranges, a tenth of their span wider on both sides
    but not below zero where nothing is; sets of texts; lengths where all are alike; uniqueness, of ``key`` too; half as many rows.
    """
    tables = [of_file(path, frame) for path, frame in files]
    names = list(dict.fromkeys(name for table in tables for name in table.schema))
    whole = together(tables, names)
    rows = sum(table.height for table in tables)
    frame = whole.frame.select(name for name in names if name in whole.schema).collect()
    found: Declared = {"rows": {"min": _down(rows / 2)}, "columns": {}}
    everywhere = [name for name in names if all(name in table.schema for table in tables)]
    for name in everywhere:
        found["columns"][name] = _of_column(frame[name], _worst_nulls(name, tables)) if name in frame.columns else {}
    if len(key) > 1 and all(name in frame.columns for name in key) and not frame.select(key).drop_nulls().is_duplicated().any():
        found["unique"] = [list(key)]
    return found


def _worst_nulls(name: str, tables: Sequence[Table]) -> float:
    counts = pl.collect_all([table.frame.select(pl.col(name).null_count()) for table in tables if table.height])
    heights = [table.height for table in tables if table.height]
    return max((count.item() / height for count, height in zip(counts, heights, strict=True)), default=0.0)


def _of_column(series: pl.Series, nulls: float) -> Declared:
    kind, values = columns.of_series(series), series.drop_nulls()
    check: Declared = {"type": kind} if kind in _TYPES else {}
    if nulls < 1 and len(series):
        check["nulls"] = f"{min(100, math.ceil(nulls * 150) + 1)}%" if nulls else 0
    if len(values) < _ENOUGH:
        return check
    if kind in ("string", "integer") and values.n_unique() == len(values) and len(values) == len(series):
        return check | {"unique": True}
    if kind == "string":
        return check | _of_texts(values)
    return check | _range(values, kind) if kind in ("integer", "number") else check


def _of_texts(values: pl.Series) -> Declared:
    different = values.unique().sort()
    if len(different) <= _SET and len(values) >= _SET * len(different):
        return {"values": different.to_list()}
    lengths = values.str.len_chars()
    return {"length": {"min": lengths[0], "max": lengths[0]}} if lengths.n_unique() == 1 else {}


def _range(values: pl.Series, kind: str) -> Declared:
    low, high = float(values.min()), float(values.max())  # type: ignore[arg-type]
    if not (math.isfinite(low) and math.isfinite(high) and abs(low) < 2**53 > abs(high)):
        return {}
    if kind == "integer" and values.n_unique() <= _STEPS:
        return {"min": int(low), "max": int(high)}
    room = _ROOM * (high - low) or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(room))
    lowest = math.floor((low - room) / step) * step
    highest = math.ceil((high + room) / step) * step
    ends = {"min": max(lowest, 0.0) if low >= 0 else lowest, "max": min(highest, 0.0) if high <= 0 else highest}
    return {name: _plain(end) for name, end in ends.items()}


def _plain(end: float) -> float:
    """Without digits that only the computer's arithmetic made."""
    rounded = float(f"{end:.12g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def _down(rows: float) -> int:
    """A round number of rows that is not greater, at least 1.

    >>> _down(16_843.5), _down(0.5)
    (16000, 1)
    """
    step = 10 ** max(0, math.floor(math.log10(max(rows, 1))) - 1)
    return max(1, int(rows // step * step))
