"""What the loop did, month by month, in words and figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from towpath import events as ev
from towpath.backtest.arrivals import Month
from towpath.backtest.twins import Answerer
from towpath.candidate import score_of
from towpath.evaluation.metrics import measure
from towpath.evaluation.predictions import predictions
from towpath.ledger import Record
from towpath.state import State
from towpath.words import in_words

FIGURES = {"binary": ("auc", "log_loss"), "multiclass": ("accuracy", "macro_f1"), "regression": ("rmse", "mae")}
REASON = 110  # characters of one that a cell of the table has room for


class MonthRow(msgspec.Struct, frozen=True, kw_only=True):
    """One month: what happened, and how good the answers were: as ``served``, ``frozen`` and ``ungated``, a value a metric."""

    month: str
    causes: list[str]
    versions: list[int]
    decisions: list[str]
    requests: int
    served: dict[str, float]
    frozen: dict[str, float]
    ungated: dict[str, float]
    exposed: int
    alarms: int
    planted: str = ""


def figures(task: str, labels: pl.Series, scores: Any, classes: Sequence[Any]) -> dict[str, float]:
    """The two figures of a task that the table shows; empty where there is nothing to measure."""
    kept = labels.is_not_null().to_numpy()
    if not kept.any():
        return {}
    return measure(predictions(task, labels.filter(labels.is_not_null()).to_numpy(), scores[kept], classes), FIGURES[task])


def answered_by(answerer: Answerer | None, task: str, rows: pl.DataFrame, classes: Sequence[Any]) -> dict[str, float]:
    """The figures of a model that answers rows of the past; empty where there is none."""
    if answerer is None or rows.is_empty():
        return {}
    scores = answerer(rows.drop("__id", "__time", "__label"))
    return figures(task, rows["__label"], scores.values if task == "multiclass" else score_of(scores), classes)


def row(
    month: Month,
    task: str,
    records: Sequence[Record],
    state: State,
    journal: pl.DataFrame,
    rows: pl.DataFrame,
    classes: Sequence[Any],
    planted: str,
) -> MonthRow:
    """What the ledger and the journal say of one month; the twins' figures are filled in by the caller."""
    events = [record.entry.event for record in records if month.start <= record.entry.at < month.end]
    answers = journal.filter((pl.col("at") >= month.start) & (pl.col("at") < month.end) & (pl.col("role") == "answer"))
    joined = rows.select("__id", "__label").join(answers.select(__id="id", score="score"), on="__id", how="inner")
    served = figures(task, joined["__label"], joined["score"].to_numpy(), classes) if task != "multiclass" else {}
    undone = [r.number for r in state.live.releases.values() if r.outcome == "rolled back"]
    return MonthRow(
        month=str(month),
        causes=[event.trigger for event in events if isinstance(event, ev.TriggerFired)],
        versions=sorted(answers["answered_by"].unique().to_list()),
        decisions=[words for event in events if (words := told(event, state))],
        requests=answers.height,
        served=served,
        frozen={},
        ungated={},
        exposed=answers.filter(pl.col("release").is_in(undone) & (pl.col("arm") == "challenger")).height,
        alarms=sum(isinstance(event, ev.FindingMade) for event in events),
        planted=planted,
    )


def told(event: ev.AnyEvent, state: State) -> str:
    """The decisions that a month is remembered by, in a line each; empty for all other events."""
    match event:
        case ev.VersionPromoted() | ev.RunLost():
            return in_words(event, most=0)
        case ev.ReleaseAbandoned():
            return f"version {state.live.releases[event.release].version}, {in_words(event, most=REASON)}"
        case ev.VersionRolledBack() | ev.RunEnded(outcome=ev.Outcome.STOPPED | ev.Outcome.REJECTED | ev.Outcome.HELD | ev.Outcome.FAILED):
            return in_words(event, most=REASON)
        case _:
            return ""
