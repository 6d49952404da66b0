"""What two versions of a dataset differ in. What both have is passed over unread, unless a column's shift needs it once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import polars as pl

from towpath.data import columns, facts, read, rows, shift
from towpath.data.difference import Columns, Difference, Files, Rows, Shift
from towpath.data.sides import Side, apart, changes
from towpath.data.snapshot import together
from towpath.data.walk import are_tables
from towpath.errors import Refused
from towpath.store.trees import Change, FileEntry

Types = dict[str, str]


def diff(name: str, one: Side, other: Side, *, key: Sequence[str] = (), leave: Sequence[str] = (), shifts: bool = True) -> Difference:
    """The difference of a dataset's version ``one`` to its version ``other``.

    Args:
        key: the columns that name a row.
        leave: columns whose shift says nothing, such as the time; the key is left out anyway.
        shifts: whether columns are compared over all rows, which reads all files of ``one`` the first time.

    Raises:
        UnknownName: the store does not have a file that differs.
        Unavailable: a file changes meanwhile.
    """
    found = changes(one, other)
    was, now = apart(found)
    difference = Difference(
        dataset=name,
        before=one.name,
        after=other.name,
        digest_before=one.digest or "",
        digest_after=other.digest or "",
        files=_files(found, one, other),
    )
    if not (was or now) or not are_tables(file.path for file in (*was, *now)):
        return difference
    try:
        gone, come = _alike(_table(one, was), _table(other, now))
        changed = _columns(one, found, gone, come)
        counted = _counted(one, other, gone, come, key)
        moved = _shifts(one, gone, come, {*key, *leave, *changed.removed}) if shifts else []
    except Refused as fault:  # a file that is no table, or whose columns do not go with those of the others
        return msgspec.structs.replace(difference, trouble=f"rows are not compared: {fault.what}")
    return msgspec.structs.replace(difference, columns=changed, rows=counted, shifts=moved)


def _files(found: Sequence[Change], one: Side, other: Side) -> Files:
    old, new = [c.before for c in found if c.before and not c.after], [c.after for c in found if c.after and not c.before]
    moved = _moved(old, new)
    was, now = {before for before, _ in moved}, {after for _, after in moved}
    return Files(
        added=[file.path for file in new if file.path not in now],
        removed=[file.path for file in old if file.path not in was],
        changed=[c.path for c in found if c.before and c.after],
        moved=moved,
        same=one.count - sum(c.before is not None for c in found),
        size_before=one.size,
        size_after=other.size,
    )


def _moved(old: Iterable[FileEntry], new: Iterable[FileEntry]) -> list[tuple[str, str]]:
    """Old and new names of files whose bytes are still there under a name that was not there before."""
    names: dict[str, list[str]] = {}
    for file in new:
        names.setdefault(file.digest, []).append(file.path)
    return [(file.path, names[file.digest].pop(0)) for file in old if names.get(file.digest)]


def _table(side: Side, files: Iterable[FileEntry]) -> pl.DataFrame:
    frames = [(file.path, read.read_bytes(side.read(file), file.path)) for file in files]
    return together(frames) if frames else pl.DataFrame()


def _alike(gone: pl.DataFrame, come: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Where one side has no file that differs, it has no rows of the other's columns."""
    return (gone if gone.width else come.clear()), (come if come.width else gone.clear())


def _columns(one: Side, found: Iterable[Change], gone: pl.DataFrame, come: pl.DataFrame) -> Columns:
    """How the columns of the whole tables differ. Files that both have are looked into only where those that differ disagree."""
    was, now = _types(gone), _types(come)
    disputed = {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
    rest = _rest(one, {c.path for c in found}, disputed) if disputed else {}
    before, after = _joined(rest, was), _joined(rest, now)
    return Columns(
        added={name: kind for name, kind in after.items() if name not in before},
        removed={name: kind for name, kind in before.items() if name not in after},
        retyped={
            name: (before[name], kind)
            for name, kind in after.items()
            if name in before and kind != before[name] and "null" not in (kind, before[name])
        },
    )


def _types(frame: pl.DataFrame) -> Types:
    return {series.name: columns.of_series(series) for series in frame.iter_columns()}


def _joined(rest: Types, own: Types) -> Types:
    """Types of the files that differ over those of the others; a column without values there has the type that it has elsewhere."""
    return {
        **rest,
        **{name: rest[name] if rest.get(name, "null") != "null" and columns.fits(kind, rest[name]) else kind for name, kind in own.items()},
    }


def _rest(one: Side, differing: set[str], wanted: set[str]) -> Types:
    """The types that ``wanted`` columns have in the files that both versions have; reads until all were seen."""
    noted = facts.recall(one.store, one.snapshot.root) if one.snapshot else None
    missing = wanted & noted.columns.keys() if noted else set(wanted)
    found: Types = {}
    for file in one.files():
        if not missing:
            break
        if file.path not in differing:
            types = _types(_table(one, [file]))
            found |= {name: types[name] for name in missing & types.keys()}
            missing = {name for name in missing if found.get(name, "null") == "null"}
    return found


def _counted(one: Side, other: Side, gone: pl.DataFrame, come: pl.DataFrame, key: Sequence[str]) -> Rows:
    """The rows that differ; the whole is known of one version at least, and the other's follows."""
    before, after = one.rows, other.rows
    if before < 0 <= after:
        before = after - come.height + gone.height
    elif before >= 0:
        after = before - gone.height + come.height
    return rows.summed(rows.delta(gone, come, key), before=before, after=after)


def _shifts(one: Side, gone: pl.DataFrame, come: pl.DataFrame, leave: set[str]) -> list[Shift]:
    root = one.snapshot.root if one.snapshot else None
    profile = shift.profile_of(one.store, root, lambda: _table(one, one.files()))
    return shift.shifts(profile, gone, come, leave=leave) if profile else []
