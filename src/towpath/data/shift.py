"""How far the columns of a table moved between two versions: the effect of drift, over all rows of both.

The profile of a snapshot is noted beside it. With it only the files that differ are counted: counts of parts add up to those of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from towpath.data.difference import Cell, Shift
from towpath.digest import Digest, of_value
from towpath.monitor import profile as profiles
from towpath.monitor.drift import drift
from towpath.monitor.profile import Column, Counts, Profile
from towpath.store import Execution, Store

SHOWN = 8  # columns whose cells are given


def profile_of(store: Store, root: Digest | None, table: Callable[[], pl.DataFrame]) -> Profile | None:
    """The profile of the table whose files are the tree ``root``: as it was noted, else from the rows that ``table`` reads.

    None where there is no row. Without a root nothing is noted.
    """
    noted = store.recall(name_of(root)) if root else None
    if noted:
        return profiles.decode(store.get(noted.output))
    rows = table()
    if not rows.height:
        return None
    found = profiles.profile(rows)
    if root:
        output = store.put(profiles.encode(found))
        store.remember(Execution(fingerprint=name_of(root), step="profile of a table", output=output, content=output, seconds=0.0))
    return found


def name_of(root: Digest) -> Digest:
    """Under what the profile of a tree is noted."""
    return of_value(["profile of a table", 1, root])


def shifts(profile: Profile, gone: pl.DataFrame, come: pl.DataFrame, *, leave: Iterable[str] = ()) -> list[Shift]:
    """Every column by how far it moved when rows went and others came, the farthest first.

    Args:
        profile: of all rows before.
        gone: rows that are no longer there, as the files that differ have them.
        come: rows that are there instead.
        leave: columns that say nothing: a key is another in every row.
    """
    left = {name: column for name, column in profile.columns.items() if name not in set(leave)}
    profile = Profile(rows=profile.rows, window=profile.window, columns=left)
    before = profiles.training(profile)
    after = _plus(before, profiles.count(profile, _filled(profile, come)), profiles.count(profile, _filled(profile, gone)))
    if after.rows <= 0:
        return []
    found = []
    for place, moved in enumerate(drift(profile, after, than="before")):
        column = profile.columns[moved.column]
        cells = _cells(column, after.columns[moved.column]) if place < SHOWN else []
        found.append(
            Shift(column=moved.column, effect=moved.effect, share=moved.share, chance=moved.chance, because=moved.because, cells=cells)
        )
    return found


def _filled(profile: Profile, frame: pl.DataFrame) -> pl.DataFrame:
    """A column that no file among these has is null in the whole table."""
    return frame.with_columns(pl.lit(None).alias(name) for name in profile.columns if name not in frame.columns)


def _plus(before: Counts, come: Counts, gone: Counts) -> Counts:
    columns = {
        name: tuple(max(0, was + more - less) for was, more, less in zip(counts, come.columns[name], gone.columns[name], strict=True))
        for name, counts in before.columns.items()
    }
    return Counts(rows=before.rows + come.rows - gone.rows, columns=columns)


def _cells(column: Column, after: tuple[int, ...]) -> list[Cell]:
    was, now = max(sum(column.counts), 1), max(sum(after), 1)
    return [
        Cell(name=column.cell_name(place), before=one / was, after=other / now)
        for place, (one, other) in enumerate(zip(column.counts, after, strict=True))
        if one or other
    ]
