"""Whether a dataset may be trained on: verdicts, each naming dataset, file, column, count and an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from towpath.data import columns
from towpath.data.facts import Facts
from towpath.data.snapshot import Part
from towpath.project_checks import Bounds, Checks, ColumnCheck
from towpath.verdict import Answer, Verdict


def judge(name: str, checks: Checks, parts: Sequence[Part], reference: Facts | None = None) -> tuple[Verdict, ...]:
    """What the checks say of a dataset's files.

    Args:
        name: of the dataset.
        checks: as declared. Bounds of rows hold for all files together, everything about a column for each file on its own, so that one
            bad delivery does not hide among good ones.
        parts: the files as they were read.
        reference: the snapshot of the last accepted version: its columns must be there, each of its type, where nothing else is declared.
            Without it, all files must agree with the first.

    Returns:
        One verdict for reading, rows and columns each, and one or more for each declared column. A failing one speaks of the first
        file at fault and counts the others.
    """
    readable = [(part.path, part.frame) for part in parts if part.frame is not None]
    verdicts = [*_readable(name, parts), *_rows(name, checks.rows, readable)]
    verdicts += _agreement(name, checks, readable, reference)
    for column, check in checks.columns.items():
        faults = list(_column(name, column, check, readable))
        verdicts += faults or [_verdict(f"{name}.{column}: {_wanted(check)}", Answer.PASS, f"holds in {_count(len(readable), 'file')}")]
    return tuple(verdicts)


def _verdict(gate: str, answer: Answer, because: str, **numbers: float) -> Verdict:
    return Verdict(gate=gate, answer=answer, because=because, numbers={key: float(value) for key, value in numbers.items()})


def _readable(name: str, parts: Sequence[Part]) -> Iterator[Verdict]:
    gate = f"{name}: every file is readable"
    for part in parts:
        if part.frame is None:
            yield _verdict(gate, Answer.FAIL, f"{name}: {part.path} cannot be read: {part.fault}", size_bytes=part.size)
    if all(part.frame is not None for part in parts):
        yield _verdict(gate, Answer.PASS, f"{_count(len(parts), 'file')} read", files=len(parts))


def _rows(name: str, bounds: Bounds, parts: Sequence[tuple[str, pl.DataFrame]]) -> Iterator[Verdict]:
    total = sum(frame.height for _, frame in parts)
    gate = f"{name}: rows {_range(bounds.min, bounds.max)}, no file without rows"
    empty = [path for path, frame in parts if not frame.height]
    if empty:
        yield _verdict(gate, Answer.FAIL, f"{name}: {empty[0]} has columns and no rows{_others(empty)}", files=len(empty))
    if (bounds.min is not None and total < bounds.min) or (bounds.max is not None and total > bounds.max):
        yield _verdict(gate, Answer.FAIL, f"{name} has {total:,} rows, must have {_range(bounds.min, bounds.max)}", rows=total)
    elif not empty:
        yield _verdict(gate, Answer.PASS, f"{total:,} rows", rows=total)


def _agreement(name: str, checks: Checks, parts: Sequence[tuple[str, pl.DataFrame]], reference: Facts | None) -> Iterator[Verdict]:
    """The columns that must be there, and their types: declared, else as in the reference, else as in the first file that shows one."""
    declared = {column: check.type for column, check in checks.columns.items() if check.type}
    expected = dict.fromkeys(checks.columns, "null") | (reference.columns if reference else _first(parts)) | declared
    source = "the last accepted version has" if reference else "the other files have"
    faults = [*_missing(name, expected, parts, checks, source), *_types(name, expected, declared, parts, source), *_zones(name, parts)]
    yield from faults
    if not faults:
        because = f"{_count(len(expected), 'column')} in {_count(len(parts), 'file')}"
        yield _verdict(f"{name}: columns and their types", Answer.PASS, because)


def _first(parts: Sequence[tuple[str, pl.DataFrame]]) -> dict[str, str]:
    """The columns of the first file, with the type that each has in most files: so the odd file is named, not the others.

    An integer among numbers is a number.
    """
    found: dict[str, str] = {}
    for column in parts[0][1].columns if parts else ():
        seen = [columns.of_series(frame[column]) for _, frame in parts if column in frame.columns]
        kinds = [kind for kind in seen if kind != "null"] or ["null"]
        kind = max(dict.fromkeys(kinds), key=kinds.count)
        found[column] = "number" if kind == "integer" and "number" in kinds else kind
    return found


def _missing(
    name: str, expected: dict[str, str], parts: Sequence[tuple[str, pl.DataFrame]], checks: Checks, source: str
) -> Iterator[Verdict]:
    for column in expected:
        lacking = [path for path, frame in parts if column not in frame.columns]
        if lacking:
            who = "it is declared" if column in checks.columns else f"{source} it"
            because = f"{name}: {lacking[0]} has no column {column}{_others(lacking)}; {who}"
            if len(lacking) == len(parts) and column not in checks.columns:
                because += " (if it is gone for good, give the dataset a new name)"
            yield _verdict(f"{name}: columns", Answer.FAIL, because, files=len(lacking))


def _types(
    name: str, expected: dict[str, str], declared: Mapping[str, str], parts: Sequence[tuple[str, pl.DataFrame]], source: str
) -> Iterator[Verdict]:
    for column, wanted in expected.items():
        wrong = [(path, frame[column]) for path, frame in parts if column in frame.columns and not _fits(frame[column], wanted)]
        if wrong:
            path, series = wrong[0]
            who = f"declared is {wanted}" if column in declared else f"{source} {wanted}"
            example, count = series.drop_nulls().first(), len(series) - series.null_count()
            because = (
                f"{name}: {path}: column {column} is {columns.logical(series.dtype)} in {_count(count, 'row')}, "
                f"such as {_shown(example)}; {who}{_others(wrong)}"
            )
            yield _verdict(f"{name}: types", Answer.FAIL, because, count=count, files=len(wrong))


def _fits(series: pl.Series, wanted: str) -> bool:
    return columns.fits(columns.of_series(series), wanted)


def _zones(name: str, parts: Sequence[tuple[str, pl.DataFrame]]) -> Iterator[Verdict]:
    seen: dict[str, tuple[str, str]] = {}
    for path, frame in parts:
        for column, dtype in frame.schema.items():
            if columns.logical(dtype) != "time":
                continue
            zone = columns.zone(dtype)
            before, first = seen.setdefault(column, (zone, path))
            if zone != before:
                because = f"{name}: {path}: column {column} is in time zone {zone or 'none'}, in {first} it is {before or 'none'}"
                yield _verdict(f"{name}: types", Answer.FAIL, because, count=frame.height)


def _column(name: str, column: str, check: ColumnCheck, parts: Sequence[tuple[str, pl.DataFrame]]) -> Iterator[Verdict]:
    """What is wrong with the values of one column; its type and presence are judged elsewhere. NaN counts as null."""
    there = [(path, _without_nan(frame[column])) for path, frame in parts if column in frame.columns]
    gate = f"{name}.{column}: {_wanted(check)}"
    yield from _nulls(name, gate, column, check.nulls, there)
    for path, series in there:
        values = series.drop_nulls()
        if (check.min is not None or check.max is not None) and series.dtype.is_numeric():
            outside = values.filter(~values.is_between(*_bounds(check)))
            if len(outside):
                worst = outside.max() if check.max is not None and len(outside.filter(outside > check.max)) else outside.min()
                yield _of_values(name, gate, path, column, outside, series, f"outside {_range(check.min, check.max)}", worst)
        if check.values is not None:
            strange = values.filter(~values.cast(pl.String).is_in([_text(value) for value in check.values]))
            if len(strange):
                yield _of_values(name, gate, path, column, strange, series, f"none of {', '.join(map(str, check.values))}", strange.first())


def _without_nan(series: pl.Series) -> pl.Series:
    return series.fill_nan(None) if series.dtype.is_float() else series


def _bounds(check: ColumnCheck) -> tuple[float, float]:
    return (float("-inf") if check.min is None else check.min), (float("inf") if check.max is None else check.max)


def _nulls(name: str, gate: str, column: str, limit: float, there: Sequence[tuple[str, pl.Series]]) -> Iterator[Verdict]:
    wrong = [(path, series) for path, series in there if len(series) and series.null_count() / len(series) > limit]
    if wrong:
        path, series = wrong[0]
        count, share = series.null_count(), series.null_count() / len(series)
        of = f"{count:,} of {_count(len(series), 'row')} ({share:.1%})"
        because = f"{name}: {path}: column {column} is null in {of}, at most {limit:.1%} may be"
        yield _verdict(gate, Answer.FAIL, because + _others(wrong), count=count, share=share, limit=limit, files=len(wrong))


def _of_values(name: str, gate: str, path: str, column: str, wrong: pl.Series, series: pl.Series, how: str, example: object) -> Verdict:
    because = f"{name}: {path}: column {column} is {how} in {len(wrong):,} of {_count(len(series), 'row')}, such as {_shown(example)}"
    return _verdict(gate, Answer.FAIL, because, count=len(wrong), rows=len(series))


def _text(value: object) -> str:
    """A declared value as Polars writes it as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wanted(check: ColumnCheck) -> str:
    parts: list[str] = [check.type] if check.type else []
    parts += [f"nulls <= {check.nulls:.3g}"] if check.nulls < 1 else []
    parts += [_range(check.min, check.max)] if check.min is not None or check.max is not None else []
    parts += [f"one of {', '.join(map(str, check.values))}"] if check.values is not None else []
    return "; ".join(parts) or "is there"


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"at least {low:g}" if low is not None else f"at most {high:g}" if high is not None else "any number"
    return f"{low:g} to {high:g}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _others(wrong: Sequence[object]) -> str:
    return f" (and {_count(len(wrong) - 1, 'more file')})" if len(wrong) > 1 else ""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
