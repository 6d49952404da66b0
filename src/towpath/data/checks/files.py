"""What is known of files one by one: whether they can be read, have rows, and have the columns and types that they should."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import polars as pl

from towpath.data import columns
from towpath.data.checks.wording import count, others, shown, span, verdict
from towpath.data.facts import Facts
from towpath.data.snapshot import Part
from towpath.project_checks import Bounds
from towpath.verdict import Answer, Verdict

File = tuple[str, pl.DataFrame]


def readable(name: str, parts: Sequence[Part]) -> Iterator[Verdict]:
    """A verdict for each file that is no table, or one that all are."""
    gate = f"{name}: every file is readable"
    for part in parts:
        if part.frame is None:
            yield verdict(gate, Answer.FAIL, f"{name}: {part.path} cannot be read: {part.fault}", size_bytes=part.size)
    if all(part.frame is not None for part in parts):
        yield verdict(gate, Answer.PASS, f"{count(len(parts), 'file')} read", files=len(parts))


def rows(name: str, bounds: Bounds, files: Sequence[File]) -> Iterator[Verdict]:
    """Whether there are as many rows as there must be, and no file without any."""
    total = sum(frame.height for _, frame in files)
    gate = f"{name}: rows {span(bounds.min, bounds.max)}, no file without rows"
    empty = [path for path, frame in files if not frame.height]
    if empty:
        yield verdict(gate, Answer.FAIL, f"{name}: {empty[0]} has columns and no rows{others(empty)}", files=len(empty))
    if (bounds.min is not None and total < bounds.min) or (bounds.max is not None and total > bounds.max):
        yield verdict(gate, Answer.FAIL, f"{name} has {total:,} rows, must have {span(bounds.min, bounds.max)}", rows=total)
    elif not empty:
        yield verdict(gate, Answer.PASS, f"{total:,} rows", rows=total)


def agreement(
    name: str, asked: Collection[str], declared: Mapping[str, str], files: Sequence[File], reference: Facts | None
) -> tuple[list[Verdict], set[str]]:
    """The columns that must be there, and their types: ``declared``, else as in the reference, else as in most files.

    Args:
        asked: the columns that some check speaks of.

    Returns:
        The verdicts, and the columns that have another type than they must, in any file.
    """
    expected = dict.fromkeys(asked, "null") | (reference.columns if reference else _most(files)) | dict(declared)
    source = "the last accepted version has" if reference else "the other files have"
    strange = {column: wrong for column, kind in expected.items() if (wrong := _of_other_type(column, kind, files))}
    faults = list(_missing(name, expected, files, asked, source))
    for column, wrong in strange.items():
        kind = expected[column]
        faults.append(_type(name, column, wrong, f"declared is {kind}" if column in declared else f"{source} {kind}"))
    faults += _zones(name, files)
    because = f"{count(len(expected), 'column')} in {count(len(files), 'file')}"
    return faults or [verdict(f"{name}: columns and their types", Answer.PASS, because)], set(strange)


def _most(files: Sequence[File]) -> dict[str, str]:
    """The columns of the first file, with the type that each has in most files: so the odd file is named, not the others.

    An integer among numbers is a number.
    """
    found: dict[str, str] = {}
    for column in files[0][1].columns if files else ():
        seen = [columns.of_series(frame[column]) for _, frame in files if column in frame.columns]
        kinds = [kind for kind in seen if kind != "null"] or ["null"]
        kind = max(dict.fromkeys(kinds), key=kinds.count)
        found[column] = "number" if kind == "integer" and "number" in kinds else kind
    return found


def _missing(name: str, expected: Mapping[str, str], files: Sequence[File], asked: Collection[str], source: str) -> Iterator[Verdict]:
    for column in expected:
        lacking = [path for path, frame in files if column not in frame.columns]
        if lacking:
            who = "it is declared" if column in asked else f"{source} it"
            because = f"{name}: {lacking[0]} has no column {column}{others(lacking)}; {who}"
            if len(lacking) == len(files) and column not in asked:
                because += " (if it is gone for good, give the dataset a new name)"
            yield verdict(f"{name}: columns", Answer.FAIL, because, files=len(lacking))


def _of_other_type(column: str, wanted: str, files: Sequence[File]) -> list[tuple[str, pl.Series]]:
    there = [(path, frame[column]) for path, frame in files if column in frame.columns]
    return [(path, series) for path, series in there if not columns.fits(columns.of_series(series), wanted)]


def _type(name: str, column: str, wrong: Sequence[tuple[str, pl.Series]], who: str) -> Verdict:
    path, series = wrong[0]
    example, valued = series.drop_nulls().first(), len(series) - series.null_count()
    because = (
        f"{name}: {path}: column {column} is {columns.logical(series.dtype)} in {count(valued, 'row')}, "
        f"such as {shown(example)}; {who}{others(wrong)}"
    )
    return verdict(f"{name}: types", Answer.FAIL, because, count=valued, files=len(wrong))


def _zones(name: str, files: Sequence[File]) -> Iterator[Verdict]:
    seen: dict[str, tuple[str, str]] = {}
    for path, frame in files:
        for column, dtype in frame.schema.items():
            if columns.logical(dtype) != "time":
                continue
            zone = columns.zone(dtype)
            before, first = seen.setdefault(column, (zone, path))
            if zone != before:
                because = f"{name}: {path}: column {column} is in time zone {zone or 'none'}, in {first} it is {before or 'none'}"
                yield verdict(f"{name}: types", Answer.FAIL, because, count=frame.height)
