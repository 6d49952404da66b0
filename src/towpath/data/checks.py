"""What a dataset must be before anything is trained on it. A failing verdict names file, column, count and a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import polars as pl

from towpath.data.snapshot import Part, types_of
from towpath.project import Checks, ColumnCheck
from towpath.verdict import Answer, Verdict

NUMBERS = {"integer", "number"}


def judge(name: str, checks: Checks, parts: Sequence[Part], reference: Mapping[str, str] | None) -> tuple[Verdict, ...]:
    """One verdict a rule.

    Args:
        reference: the columns and types of the last accepted snapshot; None where there is none: then the first file's.
    """
    readable = [part for part in parts if part.frame is not None]
    expected = dict(reference or next((types_of(frame) for _, frame in _frames(parts)), {}))
    expected |= {column: check.type for column, check in checks.columns.items() if check.type}
    verdicts = [_files(name, parts), _columns(name, {*expected, *checks.columns}, readable), _types(name, expected, readable)]
    verdicts.append(_rows(name, checks, readable))
    for column, check in checks.columns.items():
        verdicts += _values(name, column, check, readable)
    return tuple(verdicts)


def _files(name: str, parts: Sequence[Part]) -> Verdict:
    bad = [f"{part.file}: {part.fault}" for part in parts if part.frame is None]
    bad += [f"{part.file}: it has no rows" for part in parts if part.frame is not None and part.frame.is_empty()]
    return _verdict(f"{name}: files", bad, f"all {len(parts)} files can be read", files=len(parts))


def _frames(parts: Sequence[Part]) -> list[tuple[str, pl.DataFrame]]:
    return [(part.file, part.frame) for part in parts if part.frame is not None]


def _columns(name: str, wanted: set[str], parts: Sequence[Part]) -> Verdict:
    bad = []
    for file, frame in _frames(parts):
        missing = sorted(wanted - set(frame.columns))
        bad += [f"{file}: column {column!r} is missing (all {frame.height:,} rows)" for column in missing]
    return _verdict(f"{name}: columns", bad, f"all {len(wanted)} columns are there", columns=len(wanted))


def _types(name: str, expected: Mapping[str, str], parts: Sequence[Part]) -> Verdict:
    bad = []
    for file, frame in _frames(parts):
        for column, found in types_of(frame).items():
            wanted = expected.get(column)
            if wanted and found != wanted and not {found, wanted} <= NUMBERS and found != "null":
                example = next(iter(frame[column].drop_nulls().head(1)), None)
                bad.append(f"{file}: column {column!r} is {found}, not {wanted}, in all {frame.height:,} rows (such as {example!r})")
    return _verdict(f"{name}: types", bad, f"{len(expected)} columns have their types", columns=len(expected))


def _rows(name: str, checks: Checks, parts: Sequence[Part]) -> Verdict:
    rows = sum(part.frame.height for part in parts if part.frame is not None)
    low, high = checks.rows.min, checks.rows.max
    bad = [f"{rows:,} rows, at least {low:,.0f} wanted"] if low is not None and rows < low else []
    bad += [f"{rows:,} rows, at most {high:,.0f} wanted"] if high is not None and rows > high else []
    return _verdict(f"{name}: rows", bad, f"{rows:,} rows", rows=rows)


def _values(name: str, column: str, check: ColumnCheck, parts: Sequence[Part]) -> Iterator[Verdict]:
    frames = [(part.file, part.frame[column]) for part in parts if part.frame is not None and column in part.frame.columns]
    rows = sum(len(series) for _, series in frames)
    if check.nulls < 1:
        nulls = sum(series.null_count() for _, series in frames)
        worst = max(frames, key=lambda part: part[1].null_count(), default=("", pl.Series()))
        in_all = f"{nulls:,} of {rows:,} rows in all; {check.nulls:.1%} allowed"
        bad = [f"{worst[0]}: column {column!r} has {worst[1].null_count():,} nulls ({in_all})"] if nulls > check.nulls * rows else []
        yield _verdict(f"{name}.{column}: nulls", bad, f"{nulls:,} nulls in {rows:,} rows", nulls=nulls)
    if check.min is not None or check.max is not None:
        yield _range(name, column, check, [(file, series) for file, series in frames if series.dtype.is_numeric()])
    if check.values is not None:
        bad = list(_outside(column, frames, lambda series: ~series.is_in(list(check.values or ())), f"not one of {list(check.values)}"))
        yield _verdict(f"{name}.{column}: values", bad, f"every value is one of {len(check.values)}")


def _range(name: str, column: str, check: ColumnCheck, frames: list[tuple[str, pl.Series]]) -> Verdict:
    bad: list[str] = []
    if check.min is not None:
        low = check.min
        bad += _outside(column, frames, lambda series: series < low, f"under {low:g}")
    if check.max is not None:
        high = check.max
        bad += _outside(column, frames, lambda series: series > high, f"over {high:g}")
    return _verdict(f"{name}.{column}: range", bad, f"{column} lies within its range")


def _outside(column: str, frames: Sequence[tuple[str, pl.Series]], test: Callable[[pl.Series], pl.Series], words: str) -> Iterator[str]:
    for file, series in frames:
        outside = series.filter(test(series).fill_null(value=False))
        if len(outside):
            yield f"{file}: column {column!r} has {len(outside):,} of {len(series):,} values {words} (such as {outside[0]!r})"


def _verdict(gate: str, bad: Sequence[str], good: str, **numbers: float) -> Verdict:
    more = f" (and {len(bad) - 3} more)" if len(bad) > 3 else ""
    because = "; ".join(bad[:3]) + more if bad else good
    return Verdict(gate=gate, answer=Answer.FAIL if bad else Answer.PASS, because=because, numbers={**numbers, "faults": len(bad)})
