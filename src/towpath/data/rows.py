"""Rows that two tables do not share: by key where there is one, otherwise counted as often as they occur."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from towpath.data import columns
from towpath.data.difference import ChangedRow, Rows

EXAMPLES = 5
_SCALAR = ("string", "integer", "number", "boolean", "time", "null")


@dataclass(frozen=True, kw_only=True)
class Delta:
    """What must be taken from one table and added to it to have the other. Rows of ``was`` and ``now`` go together: changed ones.

    Taking ``removed`` and ``was`` from the one table and adding ``added`` and ``now`` gives the other, in some order of the rows.
    """

    key: tuple[str, ...]
    added: pl.DataFrame
    removed: pl.DataFrame
    was: pl.DataFrame
    now: pl.DataFrame


def delta(before: pl.DataFrame, after: pl.DataFrame, key: Sequence[str] = ()) -> Delta:
    """The rows in which two tables differ, over the columns that both have. The order of rows says nothing; null equals null.

    Rows with the same key are held against each other, equal ones first, the others in their order; so a key that occurs more than once
    does no harm. A key of which a column is in one table only counts as none.

    >>> one, other = pl.DataFrame({"id": [1, 2], "km": [5, 6]}), pl.DataFrame({"id": [2, 3], "km": [7, 8]})
    >>> found = delta(one, other, ["id"])
    >>> found.added.rows(), found.removed.rows(), found.was.rows(), found.now.rows()
    ([(3, 8)], [(1, 5)], [(2, 6)], [(2, 7)])
    """
    one, other = aligned(before, after)
    key = tuple(key) if set(key) <= set(one.columns) else ()
    marks, others = _marks(one), _marks(other)
    removed, added = _taken(one, _only(marks, others)), _taken(other, _only(others, marks))
    if not key:
        return Delta(key=(), added=added, removed=removed, was=removed.clear(), now=added.clear())
    marks, others = _marks(removed.select(key)), _marks(added.select(key))
    pairs = marks.join(others, on=_MARK, suffix="_after", maintain_order="left")
    return Delta(
        key=key,
        added=_taken(added, _only(others, marks)),
        removed=_taken(removed, _only(marks, others)),
        was=_taken(removed, pairs["row"]),
        now=_taken(added, pairs["row_after"]),
    )


def summed(delta: Delta, *, before: int, after: int) -> Rows:
    """A delta as counts and examples; ``before`` and ``after`` are the rows of the whole tables."""
    differs = {name: delta.was[name].ne_missing(delta.now[name]) for name in delta.was.columns if name not in delta.key}
    by_column = {name: int(mask.sum()) for name, mask in differs.items()}
    return Rows(
        key=delta.key,
        before=before,
        after=after,
        added=delta.added.height,
        removed=delta.removed.height,
        changed=delta.was.height,
        by_column=dict(sorted(((name, count) for name, count in by_column.items() if count), key=lambda one: (-one[1], one[0]))),
        some_added=_some(delta.added, delta.key),
        some_removed=_some(delta.removed, delta.key),
        some_changed=[_changed(delta, place, differs) for place in range(min(EXAMPLES, delta.was.height))],
    )


def _some(frame: pl.DataFrame, key: Sequence[str]) -> list[dict[str, object]]:
    ordered = [*key, *(name for name in frame.columns if name not in key)]
    return frame.select(ordered).head(EXAMPLES).to_dicts()


def _changed(delta: Delta, place: int, differs: dict[str, pl.Series]) -> ChangedRow:
    was, now = delta.was.row(place, named=True), delta.now.row(place, named=True)
    return ChangedRow(
        key={name: now[name] for name in delta.key},
        columns={name: (was[name], now[name]) for name, mask in differs.items() if mask[place]},
    )


def aligned(before: pl.DataFrame, after: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both tables with the columns that both have, each of one type: the wider, or text where the types do not go together."""
    wanted = {name: _common(before[name], after[name]) for name in before.columns if name in after.columns}
    casts = [pl.col(name).cast(dtype) for name, dtype in wanted.items() if dtype is not None]
    return before.select(casts), after.select(casts)


def _common(one: pl.Series, other: pl.Series) -> pl.DataType | None:
    """The type for both; None where there is none in which they could be compared."""
    kinds = columns.of_series(one), columns.of_series(other)
    found, known = (pl.String() if columns.logical(series.dtype) == "string" else series.dtype for series in (one, other))
    if kinds[1] == "null" or found == known:
        return found if kinds[1] == "null" and kinds[0] != "null" else known
    if kinds[0] == "null":
        return known
    if (columns.fits(*kinds) or columns.fits(*kinds[::-1])) and columns.zone(found) == columns.zone(known):
        empty = [pl.DataFrame(schema={"": dtype}) for dtype in (found, known)]
        return pl.concat(empty, how="vertical_relaxed").dtypes[0]
    return pl.String() if all(kind in _SCALAR for kind in kinds) else None


_MARK = ["one", "two", "nth"]


def _marks(frame: pl.DataFrame) -> pl.DataFrame:
    """Of each row: its number, 128 bits that stand for its values, and the how manieth with these values it is."""
    if not frame.width:
        return pl.DataFrame(schema={"row": pl.UInt32, "one": pl.UInt64, "two": pl.UInt64, "nth": pl.Int64})
    marks = pl.DataFrame({"one": frame.hash_rows(seed=1), "two": frame.hash_rows(seed=2)}).with_row_index("row")
    if marks["one"].n_unique() == marks.height:  # far cheaper to find than to number rows of their own
        return marks.with_columns(nth=pl.lit(0, pl.Int64))
    return marks.with_columns(nth=pl.int_range(pl.len(), dtype=pl.Int64).over("one", "two"))


def _only(marks: pl.DataFrame, others: pl.DataFrame) -> pl.Series:
    """The numbers of the rows that the other table does not have, counted as often as it has them."""
    return marks.join(others, on=_MARK, how="anti", maintain_order="left")["row"]


def _taken(frame: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    return frame[places] if len(places) else frame.clear()
