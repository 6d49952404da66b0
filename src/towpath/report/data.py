"""Versions of data in words."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from towpath.quantities import size_in_words


class AddedRow(msgspec.Struct, frozen=True, kw_only=True):
    """What `data add` did with one dataset; ``before`` is empty where it was not in the lock."""

    dataset: str
    digest: str
    before: str
    files: int
    size: int
    rows: int
    read: int


class StatusRow(msgspec.Struct, frozen=True, kw_only=True):
    """How a dataset's files stand beside the lock; ``digest`` is empty where the lock has none, ``trouble`` says why it cannot be told."""

    dataset: str
    digest: str
    files: int
    added: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    trouble: str = ""


class CheckedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What `data checkout` did with one dataset, or would do."""

    dataset: str
    digest: str
    written: int
    size: int
    removed: int
    linked: int = 0


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a dataset: since which commit, and how it differs from the one before."""

    dataset: str
    digest: str
    rows: int
    commit: str
    at: str
    subject: str
    trained: list[int] = []


def added(rows: Sequence[AddedRow]) -> str:
    """What was added, a line a dataset."""
    lines = []
    for row in rows:
        known = (
            "as it was" if row.before == row.digest else f"{row.before[:8]} -> {row.digest[:8]}" if row.before else f"new, {row.digest[:8]}"
        )
        lines.append(f"{row.dataset}: {_amount(row.files, row.size, row.rows)}; {row.read:,} read; {known}")
    if any(row.before != row.digest for row in rows):
        lines.append("next: commit towpath.lock")
    return "\n".join(lines)


def status(rows: Sequence[StatusRow]) -> str:
    """How datasets stand, a line each, with what to do about it."""
    width = max(len(row.dataset) for row in rows)
    lines = [f"{row.dataset:<{width}}  {_standing(row)}" for row in rows]
    if any(row.digest and _differs(row) for row in rows):
        lines.append("`towpath data add` keeps them as they are now, `towpath data checkout` brings back what the lock names")
    return "\n".join(lines)


def _differs(row: StatusRow) -> bool:
    return bool(row.added or row.changed or row.removed)


def _standing(row: StatusRow) -> str:
    if row.trouble:
        return row.trouble
    if not row.digest:
        return f"{row.files:,} files, never added: `towpath data add {row.dataset}`"
    if not _differs(row):
        return f"as locked: {row.files:,} files, {row.digest[:8]}"
    parts = [
        f"{len(names):,} {what} ({_some(names)})"
        for what, names in (("new", row.added), ("changed", row.changed), ("gone", row.removed))
        if names
    ]
    return f"{', '.join(parts)} since {row.digest[:8]}"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(name if name.isprintable() else repr(name) for name in names[:2])
    return f"{shown}, ..." if len(names) > 2 else shown


def checked_out(rows: Sequence[CheckedOut], *, dry: bool) -> str:
    """What was written and removed, a line a dataset."""
    would = "would be " if dry else ""
    lines = []
    for row in rows:
        if not row.written and not row.removed:
            lines.append(f"{row.dataset}: as it was, {row.digest[:8]}")
            continue
        linked = f", {row.linked:,} of them linked" if row.linked else ""
        gone = f", {row.removed:,} {would}removed" if row.removed else ""
        amount = _amount(row.written, row.size, -1)
        lines.append(f"{row.dataset}: {amount} {would}written{linked}{gone}; {row.digest[:8]}")
    return "\n".join(lines)


def history(rows: Sequence[HistoryRow]) -> str:
    """The versions of datasets, newest first."""
    if not rows:
        return "no commit has a towpath.lock yet: `towpath data add`, then commit it"
    width = max(len(row.dataset) for row in rows)
    return "\n".join(
        f"{row.at[:16]}  {row.commit[:8]}  {row.dataset:<{width}}  {row.digest[:8]}  "
        f"{f'{row.rows:,} rows' if row.rows >= 0 else '':>16}  {row.subject}"
        + (f"  (trained: version {', '.join(map(str, row.trained))})" if row.trained else "")
        for row in rows
    )


def _amount(files: int, size: int, rows: int) -> str:
    table = f", {rows:,} rows" if rows >= 0 else ""
    return f"{files:,} file{'s' * (files != 1)}, {size_in_words(size)}{table}"
