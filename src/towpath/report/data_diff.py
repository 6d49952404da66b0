"""Differences of data in words: at a glance first, then the columns that moved, then a few of the rows themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from towpath.data.difference import ChangedRow, Columns, Difference, Files, Row, Rows, Shift
from towpath.quantities import size_in_words

LEAST_SHOWN = 0.02  # an effect below this is harmless, as drift has it
NAMES, SHIFTS, VALUES = 5, 6, 5  # how many files, columns and values of a row are shown
BAR = 20
_BLOCKS = "▏▎▍▌▋▊▉█"


def differences(found: Sequence[Difference]) -> str:
    """All datasets, one after the other."""
    return "\n\n".join("\n".join(_lines(one)) for one in found)


def _lines(one: Difference) -> Iterator[str]:
    yield f"{one.dataset}: {_side(one.before, one.digest_before)} -> {_side(one.after, one.digest_after)}"
    if one.files.is_same:
        yield f"  nothing differs: {counted(one.files.same, 'file')}"
        return
    yield from _titled("files", _files(one.files))
    yield from _titled("columns", _columns(one.columns))
    if one.trouble:
        yield from _titled("trouble", [one.trouble])
    if one.rows:
        yield from _titled("rows", _rows(one.rows))
        yield from _titled("shift", _shifts(one.shifts))


def _side(name: str, digest: str) -> str:
    return name if not digest or digest.startswith(name) else f"{name} ({digest[:8]})"


def _titled(title: str, lines: Sequence[str]) -> Iterator[str]:
    for place, line in enumerate(lines):
        yield f"  {title if not place else '':<8} {line}"


def _files(files: Files) -> list[str]:
    counts = {"added": len(files.added), "removed": len(files.removed), "changed": len(files.changed), "moved": len(files.moved)}
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    grown = f"{size_in_words(files.size_before)} -> {size_in_words(files.size_after)}"
    return [
        f"{told}; {files.same:,} as they were; {grown}",
        *_named("+", files.added),
        *_named("-", files.removed),
        *_named("~", files.changed),
        *_named(">", [f"{before} is now {after}" for before, after in files.moved]),
    ]


def _named(sign: str, names: Sequence[str]) -> list[str]:
    shown = [f"  {sign} {_on_one_line(name)}" for name in readable(names[:NAMES])]
    return [*shown, f"  {sign} ... and {len(names) - NAMES:,} more"] if len(names) > NAMES else shown


def readable(names: Sequence[str]) -> list[str]:
    """Names of files as any reader can have them: what is no UTF-8 is written as escapes."""
    return [name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for name in names]


def _on_one_line(name: str) -> str:
    return name if name.isprintable() else repr(name)


def _columns(columns: Columns) -> list[str]:
    return [
        *(f"+ {name} ({kind})" for name, kind in columns.added.items()),
        *(f"- {name} ({kind})" for name, kind in columns.removed.items()),
        *(f"~ {name}: {before} -> {after}" for name, (before, after) in columns.retyped.items()),
    ]


def _rows(rows: Rows) -> list[str]:
    counts = [("added", rows.added), ("removed", rows.removed), ("changed", rows.changed)]
    told = ", ".join(f"{count:,} {what}" for what, count in counts if count) or "none differs"
    by = (
        f" by {', '.join(rows.key)}"
        if rows.key
        else ""
        if told == "none differs"
        else " (no `key` is declared: a changed row is one of each)"
    )
    lines = [f"{told}{by}; {rows.before:,} -> {rows.after:,}"]
    if rows.by_column:
        lines.append(f"  changed in {_few([f'{name} ({count:,})' for name, count in rows.by_column.items()])}")
    lines += [f"  + {row_in_words(row)}" for row in rows.some_added]
    lines += [f"  - {row_in_words(row)}" for row in rows.some_removed]
    return lines + [f"  ~ {_changed(row)}" for row in rows.some_changed]


def row_in_words(row: Row) -> str:
    """The first values of a row."""
    return _few([f"{name}={_value(value)}" for name, value in row.items()])


def _changed(row: ChangedRow) -> str:
    key = ", ".join(f"{name}={_value(value)}" for name, value in row.key.items())
    return f"{key}: {_few([f'{name} {_value(was)} -> {_value(now)}' for name, (was, now) in row.columns.items()])}"


def _few(parts: Sequence[str]) -> str:
    return ", ".join(parts[:VALUES]) + (f", and {len(parts) - VALUES} more" if len(parts) > VALUES else "")


def _value(value: Any) -> str:
    if value is None:
        return "null"
    text = f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _shifts(shifts: Sequence[Shift]) -> list[str]:
    if not shifts:
        return []
    shown = [shift for shift in shifts if shift.effect >= LEAST_SHOWN][:SHIFTS]
    if not shown:
        return [f"no column moved by {LEAST_SHOWN:.0%} or more"]
    width = max(len(shift.column) for shift in shown)
    lines = [f"{shift.column:<{width}}  {bar(shift.effect):<{BAR}} {shift.effect:>4.0%}  {shift.because}" for shift in shown]
    rest = len(shifts) - len(shown)
    return ["share of the rows that lies elsewhere than before, beyond chance:", *lines] + (
        [f"{counted(rest, 'other column')} moved less"] if rest else []
    )


def bar(share: float, width: int = BAR) -> str:
    """A bar of text for a share of 0 to 1.

    >>> bar(0.5, 4), bar(0.03, 4)
    ('██', '▏')
    """
    eighths = max(1, round(share * width * 8)) if share > 0 else 0
    return "█" * (eighths // 8) + (_BLOCKS[eighths % 8 - 1] if eighths % 8 else "")


def counted(number: int, what: str) -> str:
    """A number of things.

    >>> counted(1, "row"), counted(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"
