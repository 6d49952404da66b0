"""From one scoring to the lines of the journal. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from towpath.journal.port import Arm, Label, Role, Scored
from towpath.serving.answers import Answer, Told
from towpath.serving.port import Assignment
from towpath.serving.wire import LabelRequest, row_ids

_encode = msgspec.json.Encoder().encode


class Asked(msgspec.Struct, frozen=True):
    """One request, once it is understood: its prediction id, when it came (project's clock), and its raw columns."""

    id: str
    at: datetime
    rows: int
    columns: dict[str, list[Any]]


class Scoring(msgspec.Struct, frozen=True):
    """Who scored a request, in what role, how that went, and what was answered.

    ``under`` is the assignment the request was assigned by, or None for a request that named its version: such a request
    takes part in no release.
    """

    arm: Arm
    role: Role
    version: int
    told: Told
    answered_by: int
    answer: Answer | None
    under: Assignment | None


def lines(environment: str, asked: Asked, scoring: Scoring) -> bytes:
    """A JSON line for each row of a request."""
    under, answer, told = scoring.under, scoring.answer, scoring.told
    release = under if under is not None and under.release else None
    names = tuple(asked.columns)
    whole = b""
    for row, id in enumerate(row_ids(asked.id, asked.rows)):
        scored = Scored(
            id=id,
            at=asked.at,
            environment=environment,
            version=scoring.version,
            release=release.release if release else 0,
            stage=release.stage if release else 0,
            share=release.share if release else 0.0,
            arm=scoring.arm,
            role=scoring.role,
            answered_by=scoring.answered_by,
            outcome=told.outcome,
            detail=told.detail,
            latency_s=told.seconds,
            row=_encode({name: asked.columns[name][row] for name in names}).decode(),
            prediction=_encode(answer.predictions[row] if answer else None).decode(),
            score=answer.score(row) if answer else None,
        )
        whole += _encode(scored) + b"\n"
    return whole


def label_lines(labels: list[LabelRequest], at: datetime) -> bytes:
    """A JSON line for each label."""
    return b"".join(_encode(Label(id=label.id, at=at, value=label.label)) + b"\n" for label in labels)
