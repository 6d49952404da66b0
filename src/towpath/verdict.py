"""What a gate, a check or a release stage says: one of four answers, with the numbers."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Answer(StrEnum):
    """Only ``fail`` rejects or rolls back; ``inconclusive`` and ``error`` hold, tell, and never promote."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"  # measured, but the evidence does not decide
    ERROR = "error"  # could not be measured


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's answer.

    ``gate`` is the rule as its author wrote it; ``because`` is one sentence for people with the values in it;
    ``numbers`` are the same values for machines (estimate, low, high, limit, rows, ...). Where rows of data are at fault,
    ``examples`` quotes a few with their file and row, and ``saved`` names the object in the store that has them all.
    """

    gate: str
    answer: Answer
    because: str
    numbers: dict[str, float] = {}
    examples: tuple[str, ...] = ()
    saved: str = ""


def overall(verdicts: Iterable[Verdict]) -> Answer:
    """One answer for many rules: the worst of them, where ``fail`` is worse than ``error`` than ``inconclusive``.

    >>> overall([])
    <Answer.PASS: 'pass'>
    >>> overall([Verdict(gate="a >= 1", answer=Answer.PASS, because=""), Verdict(gate="b", answer=Answer.ERROR, because="")])
    <Answer.ERROR: 'error'>
    """
    answers = {verdict.answer for verdict in verdicts}
    return next((answer for answer in (Answer.FAIL, Answer.ERROR, Answer.INCONCLUSIVE) if answer in answers), Answer.PASS)
