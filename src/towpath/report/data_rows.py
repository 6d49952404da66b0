"""Rows that are left out, or erased, in words."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from towpath.data.difference import Row
from towpath.data.exclusion import Exclusion
from towpath.report.data_diff import counted, row_in_words


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """What an exclusion touches of the files as they are now; ``exclusion`` is 0 where it was only tried."""

    dataset: str
    where: str
    rows: int
    of_rows: int
    examples: list[Row]
    exclusion: int = 0


def touched(one: Touched) -> str:
    """What was, or would be, left out."""
    share = f" ({one.rows / one.of_rows:.2%})" if one.of_rows else ""
    would = "are left out of every later run" if one.exclusion else "would be left out"
    lines = [f"{one.dataset}: {one.rows:,} of {one.of_rows:,} rows{share} {would}, where {one.where}"]
    lines += [f"  {row_in_words(row)}" for row in one.examples]
    if one.exclusion:
        lines.append(f"exclusion {one.exclusion}; back again: `towpath data exclude {one.dataset} --lift {one.exclusion} --reason ...`")
    if not one.rows:
        lines.append("no row of the files as they are now: is that what you meant?")
    return "\n".join(lines)


def exclusions(all_of_it: Sequence[Exclusion]) -> str:
    """Every exclusion of a dataset, the ones that were lifted too."""
    if not all_of_it:
        return "no row was ever excluded"
    lines = []
    for one in all_of_it:
        state = f"lifted {one.lifted}" if one.lifted else "holds"
        lines.append(f"{one.number:>3}  {one.at:%Y-%m-%d}  {one.dataset} where {one.where}  ({one.by}: {one.because}; {state})")
    return "\n".join(lines)


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did, or with ``dry_run`` would do. ``files``: as they are now, with how many rows each loses."""

    dataset: str
    dry_run: bool
    files: dict[str, int]
    objects: int
    snapshots: list[str]
    versions: list[int]
    journal: int
    unread: list[str]
    is_here: bool
    has_remote: bool


def erased(one: Erased) -> str:
    """What was taken out, and what still knows the rows."""
    would = "would be " if one.dry_run else ""
    if not (one.files or one.objects or one.journal):
        return "\n".join([f"{one.dataset}: no such row is kept", *_unread(one)])
    rows = sum(one.files.values())
    lines = [
        f"{one.dataset}: {counted(rows, 'row')} {would}taken out of {counted(len(one.files), 'file')}",
        *(f"  {path}: {count:,}" for path, count in list(one.files.items())[:MOST]),
        f"store: {counted(one.objects, 'object')} {would}erased, of {counted(len(one.snapshots), 'snapshot')}{_named(one.snapshots)}",
        "journal: its rows with this key would go too" if one.dry_run else f"journal: {counted(one.journal, 'prediction')} taken out",
    ]
    if one.versions:
        lines.append(f"trained on these rows: version {_few(list(map(str, one.versions)))}; they know them still, until they are retired")
    if not one.is_here:
        lines.append("the source itself is not changed: take the rows out there, else the next `towpath data add` brings them back")
    if one.has_remote:
        lines.append("the remote holds the old objects until `towpath data gc --remote` has removed them")
    return "\n".join([*lines, *_unread(one), *(["next: commit towpath.lock"] if not one.dry_run else [])])


MOST = 5


def _named(snapshots: Sequence[str]) -> str:
    return f": {_few([digest[:8] for digest in snapshots])}" if snapshots else ""


def _unread(one: Erased) -> list[str]:
    return [f"not looked into, for they are no tables with that key: {_few(one.unread)}"] if one.unread else []


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")
