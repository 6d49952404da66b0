"""Leaving rows out: an expression in SQL over the columns of one row says which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches

import msgspec
import polars as pl
from polars import selectors

from towpath.data.content import of_frame
from towpath.data.exclusion import Exclusion
from towpath.data.snapshot import Part, Taken
from towpath.errors import UsageError

_MEND = "write a condition over the columns of one row, as SQL has it: \"distance > 5000 and origin = 'JFK'\""
_ALONE = 64  # so many rows are asked about one by one, to see that the answer does not hang on the others


def touched(frame: pl.DataFrame, where: str) -> pl.Series:
    """For each row whether ``where`` is true of it; one of which it is neither true nor false is not touched. NaN is null.

    >>> touched(pl.DataFrame({"km": [1.0, 9.0, None]}), "km > 5").to_list()
    [False, True, False]

    Raises:
        UsageError: it is no expression, names no column or one that is not there, or is neither true nor false.
    """
    parsed = _parsed(where)
    for name in parsed.meta.root_names():
        if name not in frame.columns:
            near = get_close_matches(name, frame.columns, n=3)
            there = f"did you mean {' or '.join(near)}?" if near else f"there is: {', '.join(frame.columns)}"
            raise UsageError(f"there is no column {name}, which `{where}` needs", mend=there)
    return _answer(frame, parsed, where)


def _parsed(where: str) -> pl.Expr:
    try:
        parsed = pl.sql_expr(where)
        names = parsed.meta.root_names()
    except pl.exceptions.PolarsError as fault:
        raise UsageError(f"`{where}` is no expression: {str(fault).splitlines()[0]}", mend=_MEND) from None
    if not names or any(name.startswith("_POLARS_TMP") for name in names):  # a subquery becomes a column of such a name
        raise UsageError(f"`{where}` {'has a query within' if names else 'names no column'}", mend=_MEND)
    return parsed


def _answer(frame: pl.DataFrame, parsed: pl.Expr, where: str) -> pl.Series:
    try:
        asked = frame.select(list(dict.fromkeys(parsed.meta.root_names()))).with_columns(selectors.float().fill_nan(None))
        answer = asked.select(parsed.alias("touched"))["touched"]
    except pl.exceptions.PolarsError as fault:
        raise UsageError(f"`{where}` cannot be asked of these rows: {str(fault).splitlines()[0]}", mend=_MEND) from None
    if answer.dtype not in (pl.Boolean, pl.Null):
        raise UsageError(f"`{where}` is {answer.dtype}, neither true nor false", mend=_MEND)
    if len(answer) != frame.height:
        raise UsageError(f"`{where}` is one answer for all rows", mend=_MEND)
    return answer.cast(pl.Boolean).fill_null(False)


def by_row(frame: pl.DataFrame, where: str) -> None:
    """Raise UsageError where the answer for a row hangs on the others: then a run on other data would leave out other rows."""
    few = frame.head(_ALONE)
    whole = touched(frame, where).head(_ALONE)
    alone = [touched(few.slice(place, 1), where).item() for place in range(few.height)]
    if alone != whole.to_list():
        raise UsageError(f"`{where}` looks at more than one row at once", mend=_MEND)


def left(frame: pl.DataFrame, exclusions: Iterable[Exclusion]) -> pl.DataFrame:
    """The rows that no exclusion touches. A column that the table does not have is null in every row.

    Raises:
        UsageError: an exclusion cannot be asked of this table; names it.
    """
    for one in exclusions:
        try:
            parsed = _parsed(one.where)
            missing = [pl.lit(None).alias(name) for name in parsed.meta.root_names() if name not in frame.columns]
            frame = frame.filter(~_answer(frame.with_columns(missing), parsed, one.where))
        except UsageError as fault:
            mend = f"towpath data exclude {one.dataset} --lift {one.number} --reason ..., then exclude anew"
            raise UsageError(f"exclusion {one.number} of {one.dataset}: {fault.what}", mend=mend) from None
    return frame


def parts_left(parts: Sequence[Part], exclusions: Sequence[Exclusion]) -> tuple[Part, ...]:
    """The files as checks are to see them: without the excluded rows, and without a file that has no others.

    A file of which an exclusion cannot be asked stays as it is: the checks say what is wrong with it.
    """
    if not exclusions:
        return tuple(parts)
    asked = [(part, _part_left(part, exclusions)) for part in parts]
    kept = tuple(now for was, now in asked if was.frame is None or now.frame is None or now.frame.height or not was.frame.height)
    return kept or tuple(now for _, now in asked[:1])


def _part_left(part: Part, exclusions: Sequence[Exclusion]) -> Part:
    if part.frame is None:
        return part
    try:
        return replace(part, frame=left(part.frame, exclusions))
    except UsageError:
        return part


def taken_left(taken: Taken, exclusions: Sequence[Exclusion]) -> tuple[Taken, int]:
    """A snapshot's table without the excluded rows, and how many these were. The content is that of the rows that are left."""
    if not exclusions or taken.snapshot.kind == "files":
        return taken, 0
    frame = left(taken.frame, exclusions)
    if frame.height == taken.frame.height:
        return taken, 0
    facts = msgspec.structs.replace(taken.facts, content=of_frame(frame))
    return replace(taken, frame=frame, facts=facts), taken.frame.height - frame.height
