"""Runs and versions side by side: a row a fact, what differs first, what is equal in one line. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from towpath.pipeline.fan_out import whole_of
from towpath.pipeline.runs import Run
from towpath.report.columns import aligned
from towpath.report.graph import clipped
from towpath.report.runs import minute

LEAST, MOST = 12, 34  # characters of a label at least, of a cell at most
NONE = "-"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of each: ``values`` are compared, ``texts`` are shown. A value is None where there is none."""

    what: str
    name: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether not all have the same value."""
        return any(value != self.values[0] for value in self.values)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """``titles`` name the columns; ``runs`` are those that made them, and when each started."""

    titles: tuple[str, ...]
    runs: tuple[int, ...]
    started: tuple[datetime, ...]
    differing: tuple[Row, ...]
    equal: tuple[Row, ...]
    note: str = ""


def compared(titles: Sequence[str], runs: Sequence[Run]) -> Comparison:
    """Runs, under the titles that they were asked for by."""
    rows = [row for row in _rows(runs) if any(value is not None for value in row.values)]
    own_rows = any(row.differs for row in rows if row.what == "data") and any(row.what == "metric" for row in rows)
    return Comparison(
        titles=tuple(titles),
        runs=tuple(run.number for run in runs),
        started=tuple(run.started for run in runs),
        differing=tuple(row for row in rows if row.differs),
        equal=tuple(row for row in rows if not row.differs),
        note="the data differ: the metrics of each are of test rows of its own" if own_rows else "",
    )


def _rows(runs: Sequence[Run]) -> Iterator[Row]:
    yield _row("", "outcome", (run.outcome or ("lost" if run.lost else None) for run in runs))
    yield from _metrics(runs)
    for name in _all(run.parameters for run in runs):
        yield _row("parameter", name, (run.parameters.get(name) for run in runs))
    for name in _all(run.snapshots for run in runs):
        yield _data(runs, name)
    yield _row("", "commit", (run.commit for run in runs), _short)
    yield _row("", "patch", (run.patch for run in runs), _short)
    for name in _all([step.step for step in run.steps if whole_of(step.step) == step.step] for run in runs):
        yield _step(runs, name)
    yield _row("", "installed", (run.installed for run in runs), _short)
    said = [{verdict.gate: verdict.answer for verdict in run.gates} for run in runs]
    for gate in _all(said):
        yield _row("gate", gate, (answers.get(gate) for answers in said))


def _all(names: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for some in names for name in some))


def _row(what: str, name: str, values: Iterable[Any], text: Callable[[Any], str] = str) -> Row:
    values = tuple(values)
    return Row(what=what, name=name, values=values, texts=tuple(NONE if one is None else text(one) for one in values))


def _short(digest: str) -> str:
    return digest[:8]


def _metrics(runs: Sequence[Run]) -> Iterator[Row]:
    own = [run.metrics.get("candidate", {}) for run in runs]
    for name in _all(own):
        values = tuple(figures.get(name) for figures in own)
        errors = [run.standard_errors.get(name) for run in runs]
        texts = tuple(map(_figure, values, errors))
        yield Row(what="metric", name=name, values=values, texts=texts)


def _figure(value: float | None, error: float | None) -> str:
    return NONE if value is None else f"{value:.4g}" if error is None else f"{value:.4g} ±{error:.2g}"


def _data(runs: Sequence[Run], name: str) -> Row:
    taken = [run.snapshots.get(name) for run in runs]
    counts = [None if one is None else f"{one.rows:,} rows" if one.rows >= 0 else f"{one.files:,} files" for one in taken]
    texts = tuple(f"{count} {_short(one.content)}" if one else NONE for count, one in zip(counts, taken, strict=True))
    return Row(what="data", name=name, values=tuple(one and one.content for one in taken), texts=texts)


def _step(runs: Sequence[Run], name: str) -> Row:
    made = [next((one for one in run.steps if one.step == name), None) for run in runs]
    texts = tuple(f"{_short(one.content)} {'reused' if one.reused else f'{one.seconds:.1f} s'}" if one else NONE for one in made)
    return Row(what="step", name=name, values=tuple(one and one.content for one in made), texts=texts)


def in_words(one: Comparison, width: int) -> str:
    """The table, in blocks of as many columns as a line of ``width`` characters has room for."""
    wide = min(max([8, *(len(_label(row)) for row in one.differing)]), max(LEAST, width // 3))
    cell = min(MOST, max(map(len, (*one.titles, minute(one.started[0]), *(text for row in one.differing for text in row.texts)))))
    abreast = max(1, (width - wide - 2) // (cell + 2))
    places = range(len(one.titles))
    blocks = [_block(one, wide, cell, places[first : first + abreast]) for first in places[::abreast]]
    return "\n".join(["\n\n".join(blocks), *_equal(one, width), *([one.note] if one.note else [])])


def _block(one: Comparison, wide: int, cell: int, places: range) -> str:
    runs = tuple(f"run {number}" for number in one.runs)
    head = [("", one.titles), *([("  made by", runs)] if runs != one.titles else []), ("  started", tuple(map(minute, one.started)))]
    rows = [*head, *((f"≠ {_label(row)}", row.texts) for row in one.differing)]
    return aligned([(clipped(label, wide + 2), *(clipped(texts[place], cell) for place in places)) for label, texts in rows])


def _label(row: Row) -> str:
    return f"{row.what} {row.name}".lstrip()


def _equal(one: Comparison, width: int) -> list[str]:
    """What all have, in one sentence."""
    said: dict[str, list[str]] = {}
    for row in one.equal:
        said.setdefault(row.what, []).append(f"{row.name} {row.texts[0]}")
    parts = [f"{what} {', '.join(names)}".lstrip() for what, names in said.items()]
    return textwrap.wrap(f"= {'; '.join(parts)}", width, subsequent_indent="  ", break_on_hyphens=False) if parts else []
