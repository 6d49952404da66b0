"""Whether a step before the split looks across rows at the label: then what is trained on knows something of what the gates judge by.

The test rows are dropped from the datasets, the rows are made again, and the others are compared. What comes out otherwise depends on
test rows. By the label, if it also does where nothing but a column that the label is made of is turned around among the test rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import polars as pl

from towpath.candidate.sides import Sides
from towpath.verdict import Answer, Verdict

GATE = "no leak"
Remake = Callable[[Mapping[str, pl.DataFrame]], pl.DataFrame]  # the rows with labels, of datasets of which some are others
_SAME = 1e-9  # relative: the order in which a sum was taken
_OTHER = "\0other"


class Leak(NamedTuple):
    """``columns`` of so many ``rows`` depend on test rows; ``through`` are columns of datasets that the label is made of."""

    columns: tuple[str, ...]
    rows: int
    through: tuple[str, ...]


class Untold(LookupError):
    """Whether something leaks cannot be told, for this reason."""


class Alike(LookupError):
    """Whether something leaks cannot be told, by what the data are."""


class _Origin(NamedTuple):
    """A dataset that rows come from: by which columns, and which of its rows only test rows come from."""

    frame: pl.DataFrame
    by: list[str]
    of_test: pl.Series


def leak(sides: Sides, datasets: Mapping[str, pl.DataFrame], label: str, remake: Remake) -> Leak | None:
    """What leaks; None where nothing does.

    Raises:
        Alike: no row of a dataset is like no other, so that nothing tells what came of which.
        Untold: the rows do not say from which rows of a dataset they came.
    """
    seen = sides.train if sides.valid is None else pl.concat([sides.train, sides.valid])
    origins = {name: one for name, frame in datasets.items() if (one := _origin(frame, seen, sides.test, label)) and one.of_test.any()}
    by = list(dict.fromkeys(column for one in origins.values() for column in one.by))
    known = _unique(seen, by) if by else seen.clear()
    if known.is_empty():
        if not any(_tells_rows_apart(frame, label) for frame in datasets.values()):
            raise Alike
        raise Untold("no column of the rows tells from which rows of a dataset they came")
    remade = remake({name: one.frame.filter(~one.of_test) for name, one in origins.items()})
    if _beside(known, remade, by).is_empty():
        raise Untold("without the test rows, no row came out that had come out before")
    columns, rows = _moved(known, remade, by)
    if not columns:
        return None
    through = [
        f"{name}.{column}"
        for name, one in origins.items()
        for column in one.frame.columns
        if (column == label or column not in seen.columns)
        and _reaches(known, _unique(sides.test, by), remake({name: _turned(one, column)}), by, label)
    ]
    return Leak(tuple(columns), rows, tuple(through))


def verdict(found: Leak) -> Verdict:
    """What a gate says of it: rows may be counted across the split, labels may not."""
    columns = ", ".join(found.columns)
    what = f"{columns} of {found.rows:,} training rows come{'s' * (len(found.columns) == 1)} out otherwise without the test rows"
    if found.through:
        because = f"{what}, by {', '.join(found.through)}: a step before the split looks across rows at the label"
        return Verdict(gate=GATE, answer=Answer.FAIL, because=because)
    return Verdict(gate=GATE, answer=Answer.PASS, because=f"{what}, though not by their labels")


def untold(why: str, mend: str) -> Verdict:
    """What a gate says where it could not be looked for."""
    because = (
        f"whether a step before the split looks across rows at the label could not be told: {why}; {mend}, "
        "or say under `split` that you know it: `leaks: ignore`"
    )
    return Verdict(gate=GATE, answer=Answer.INCONCLUSIVE, because=because)


def _origin(frame: pl.DataFrame, seen: pl.DataFrame, test: pl.DataFrame, label: str) -> _Origin | None:
    """None where the rows have no column of this dataset as it is there."""
    shared = [name for name, dtype in frame.schema.items() if name != label and seen.schema.get(name) == dtype and not dtype.is_nested()]
    by = [name for name in shared if pl.concat([seen[name], test[name]]).drop_nulls().is_in(frame[name].unique().implode()).all()]
    if not by:
        return None
    numbered = frame.select(by).with_row_index("\0row")
    in_test, in_seen = (numbered.join(rows.select(by).unique(), on=by, how="semi", nulls_equal=True)["\0row"] for rows in (test, seen))
    return _Origin(frame, by, numbered["\0row"].is_in(in_test.implode()) & ~numbered["\0row"].is_in(in_seen.implode()))


def _tells_rows_apart(frame: pl.DataFrame, label: str) -> bool:
    plain = frame.select(name for name, dtype in frame.schema.items() if name != label and not dtype.is_nested())
    return bool(plain.width) and plain.is_unique().any()


def _turned(one: _Origin, column: str) -> pl.DataFrame:
    """The dataset with a column's values of test rows in reverse."""
    values = one.frame[column]
    turned = values.filter(one.of_test).reverse()
    places = one.of_test.arg_true()
    order = pl.int_range(0, len(values), eager=True).scatter(places, places.reverse()) if len(turned) else None
    return one.frame.with_columns(values.gather(order)) if order is not None else one.frame


def _unique(rows: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """The rows that these columns tell apart from all others."""
    return rows.filter(pl.struct(by).is_unique())


def _reaches(seen: pl.DataFrame, test: pl.DataFrame, remade: pl.DataFrame, by: list[str], label: str) -> bool:
    """Whether both moved: labels of test rows, and something of the others."""
    labels, _ = _moved(test.select(*by, label), remade, by)
    return bool(labels) and bool(_moved(seen, remade, by)[0])


def _moved(known: pl.DataFrame, remade: pl.DataFrame, by: list[str]) -> tuple[list[str], int]:
    """Which columns came out otherwise in how many rows, of those that are there both times."""
    beside = _beside(known, remade, by)
    differs = {name: _differs(beside[name], beside[name + _OTHER]) for name in known.columns if name + _OTHER in beside.columns}
    moved = {name: mask for name, mask in differs.items() if mask.any()}
    rows = pl.DataFrame(list(moved.values())).select(pl.any_horizontal(pl.all()).sum()).item() if moved else 0
    return list(moved), rows


def _beside(known: pl.DataFrame, remade: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return known.join(_unique(remade, by), on=by, how="inner", nulls_equal=True, suffix=_OTHER)


def _differs(one: pl.Series, other: pl.Series) -> pl.Series:
    if not (one.dtype.is_float() and other.dtype.is_float()):
        return one.ne_missing(other).alias(one.name)
    apart = ((one - other).abs() > _SAME * one.abs().clip(1.0)).fill_null(value=False)
    return ((apart & ~(one.is_nan() & other.is_nan()).fill_null(value=False)) | (one.is_null() != other.is_null())).alias(one.name)
