"""Golden rows: a few raw rows and the trained object's answers. They travel with the package and are asked again before it serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from towpath.errors import TowpathError
from towpath.formats.frames import json_columns, travelling
from towpath.formats.parity import differences, scale_of
from towpath.formats.port import Scores
from towpath.verdict import Answer, Verdict

MOST_ROWS = 20


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """``columns`` as a request carries them; ``answers`` by row: probabilities, or one value; differences are in units of ``scale``."""

    columns: dict[str, list[Any]]
    answers: list[list[float]]
    scale: float = 1.0


def golden_of(rows: pl.DataFrame, answer: Callable[[pl.DataFrame], Scores]) -> Golden:
    """Golden rows out of ``rows`` (in requested form), answered by the trained object.

    Of each column the first row with a null, with its rarest text, its least and its greatest number; the rest evenly from
    all rows. At most 20, in the order of the rows; the same rows give the same choice.
    """
    picked = travelling(rows[pick(rows)])
    scores = answer(picked)
    scale = 1.0 if scores.classes else scale_of(answer(rows.head(10_000)))
    return Golden(columns=json_columns(picked), answers=np.asarray(scores.values, dtype=np.float64).tolist(), scale=scale)


def pick(rows: pl.DataFrame, most: int = MOST_ROWS) -> list[int]:
    """Positions of telling rows, ascending."""
    by_kind = zip(*(_telling(series) for series in rows.iter_columns()), strict=True)
    telling = dict.fromkeys(position for positions in by_kind for position in positions if position is not None)
    first = list(telling)[: most - 4]  # the last places are for ordinary rows
    even = np.linspace(0, rows.height - 1, min(most - len(first), rows.height)).astype(int).tolist() if rows.height else []
    return sorted({*first, *even})


def _telling(series: pl.Series) -> tuple[int | None, int | None, int | None]:
    """First row with a null; with the least or rarest value; with the greatest."""
    null = series.is_null().arg_true().head(1).to_list()
    kept = series.drop_nulls()
    if kept.is_empty() or series.dtype == pl.Boolean:
        return (null[0] if null else None), None, None
    if series.dtype == pl.String:
        counts = kept.value_counts().sort("count", series.name)
        return (null[0] if null else None), series.index_of(counts[series.name][0]), None
    return (null[0] if null else None), series.arg_min(), series.arg_max()


def check_golden(predict: Callable[[Mapping[str, list[Any]]], ArrayLike], golden: Golden, tolerance: float = 1e-5) -> Verdict:
    """Whether ``predict``, asked with the golden rows as a request, gives the recorded answers.

    ``predict`` gives what ``Scores.values`` holds, however it comes by it: in process or over HTTP. A TowpathError of its is a verdict too.
    """
    expected = np.asarray(golden.answers, dtype=np.float64)
    try:
        found = np.asarray(predict(golden.columns), dtype=np.float64)
    except TowpathError as fault:
        return Verdict(gate="golden_rows", answer=Answer.ERROR, because=f"the golden rows could not be answered: {fault.what}")
    if found.shape != expected.shape:
        said = f"the golden rows have answers of shape {expected.shape}, these have {found.shape}"
        return Verdict(gate="golden_rows", answer=Answer.FAIL, because=said)
    apart = differences(expected, found, golden.scale)
    row = int(apart.max(axis=1).argmax())
    most = float(apart.max())
    numbers = {"max_difference": most, "tolerance": tolerance, "rows": float(len(expected)), "row": float(row)}
    if most <= tolerance:
        return Verdict(
            gate="golden_rows", answer=Answer.PASS, because=f"{len(expected)} golden rows agree within {most:.1g}", numbers=numbers
        )
    said = f"golden row {row} gives {found[row].tolist()}, recorded is {expected[row].tolist()}: {most:.3g} apart, {tolerance:g} allowed"
    return Verdict(gate="golden_rows", answer=Answer.FAIL, because=said, numbers=numbers)
