"""Parity: how far the package's answers are from the trained object's, on the same raw rows."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace
from numpy.typing import NDArray

from towpath.errors import Refused, UsageError
from towpath.formats.port import Scores
from towpath.verdict import Answer, Verdict

_OTHERWISE = (
    "converted, the model gives other answers on some rows of the holdout; ways on: do what a step computes before trees (polynomials, "
    "logarithms) in `features`, because trees take a rounding for another value; or replace the step"
)


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """The greatest difference over ``rows`` rows, and where: ``row`` (from 0), ``output`` (a class, or "value"), both answers there.

    Probabilities are compared as they are; values of a regression in units of ``scale``. No common number, such as NaN on
    one side only, is a difference of infinity.
    """

    max_difference: float
    row: int
    output: str
    trained: float
    packaged: float
    rows: int
    scale: float = 1.0


def parity(trained: Callable[[pl.DataFrame], Scores], packaged: Callable[[pl.DataFrame], Scores], rows: pl.DataFrame) -> Parity:
    """Compare two ways from raw rows to answers.

    Raises:
        UsageError: there are no rows.
        Refused: they do not give the same outputs, in number or order of classes.
    """
    if rows.is_empty():
        raise UsageError("parity cannot be measured on no rows", mend="give the rows of the holdout")
    ours, theirs = trained(rows), packaged(rows)
    if ours.classes != theirs.classes or ours.values.shape != theirs.values.shape:
        raise Refused(
            f"the trained object answers {_outputs(ours)}, the package {_outputs(theirs)}",
            mend="convert the object that was trained, with its own classes",
        )
    scale = 1.0 if ours.classes else scale_of(ours)
    apart = differences(ours.values, theirs.values, scale)
    row, output = divmod(int(apart.argmax()), apart.shape[1])
    return Parity(
        max_difference=float(apart[row, output]),
        row=row,
        output=str(ours.classes[output]) if ours.classes else "value",
        trained=float(ours.values[row, output]),
        packaged=float(theirs.values[row, output]),
        rows=len(apart),
        scale=scale,
    )


def scale_of(scores: Scores) -> float:
    """The unit in which a regression's differences are told: the standard deviation of its answers, or 1 where they are all the same."""
    spread = float(np.std(np.asarray(scores.values, dtype=np.float64)))
    return spread if np.isfinite(spread) and spread > 0 else 1.0


def differences(ours: NDArray[np.floating], theirs: NDArray[np.floating], scale: float) -> NDArray[np.float64]:
    """Absolute differences in units of ``scale``; 0 where both are the same NaN or infinity, infinity where just one is.

    >>> differences(np.array([[1.0, np.nan]]), np.array([[1.5, 0.0]]), 2.0).tolist()
    [[0.25, inf]]
    """
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.abs(a - b) / scale
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))


def explained(verdict: Verdict) -> Verdict:
    """The verdict of a gate on parity, with the ways on where it failed; any other as it is."""
    if not verdict.gate.startswith("parity") or verdict.answer is not Answer.FAIL:
        return verdict
    return replace(verdict, because=f"{verdict.because} ({_OTHERWISE})")


def _outputs(scores: Scores) -> str:
    return f"{scores.values.shape[1]} outputs a row for {len(scores.values)} rows" + (
        f" of the classes {list(scores.classes)}" if scores.classes else ""
    )
