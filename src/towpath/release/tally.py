"""Counts for the evidence of a release: sums over the journal, and nothing that is not in it."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from towpath.journal.join import first_of_each, matured
from towpath.release.controller import Outlook
from towpath.release.evidence import Counts, Pairs
from towpath.release.live import Release
from towpath.release.policy import Canary, Plan, Seen

RECENT = 5_000  # requests of the champion that its event rates and its latency are read from

_NEEDED = ("position", "id", "at", "version", "release", "stage", "arm", "role", "outcome", "latency_s", "prediction")

ERRORS, LATENCY, LOSS = "errors", "latency_p99", "loss"


class Rules(msgspec.Struct, frozen=True):
    """What counts: labels that are due ``after`` a time, or what stands for a ``missing`` one; requests over ``slow_s`` at least."""

    after: timedelta
    missing: str | int | float | bool = "exclude"
    slow_s: float = 0.02


def seen(release: Release, plan: Plan, predictions: pl.DataFrame, labels: pl.DataFrame, rules: Rules, now: datetime) -> Seen:
    """What the journal says of a release, at ``now``: only labels that were due count, in the order of assignment."""
    rows = predictions.lazy().select(_NEEDED).filter(pl.col("release") == release.number).collect()
    events = _events(rows, labels, rules, release.cuts, now)
    stage = release.stages[-1]
    strata = [s for s in release.stages if isinstance(plan.stages[s.index], Canary)]
    return Seen(
        stage_index=stage.index,
        entered_at=stage.entered,
        started_at=release.started,
        guards={guard.name: tuple(_counts(events[guard.name], s.index, s.share) for s in strata) for guard in plan.guards},
        pairs={guard.name: _pairs(events[guard.name]) for guard in plan.guards},
        paused=bool(release.paused),
        means={guard.name: tuple(s.means.get(guard.name, 0.0) for s in strata) for guard in plan.guards},
    )


def outlook(champion: int, predictions: pl.DataFrame, labels: pl.DataFrame, rules: Rules, wrong: float | None, now: datetime) -> Outlook:
    """What a release against this champion begins from: its latest answers give cuts, event rates and the request rate."""
    its_own = (pl.col("version") == champion) & (pl.col("role") == "answer") & (pl.col("at") <= now)
    rows = predictions.lazy().select(_NEEDED).filter(its_own).tail(RECENT).collect()
    slow = rows["latency_s"].quantile(0.99)
    cuts = {LATENCY: max(rules.slow_s, slow or 0.0), **({} if wrong is None else {"wrong": wrong})}
    events = _events(rows, labels, rules, cuts, now)
    means = {name: float(frame["event"].cast(pl.Int64).sum()) / max(frame.height, 1) for name, frame in events.items()}
    return Outlook(cuts=cuts, means=means, requests_per_day=_per_day(rows))


def _per_day(rows: pl.DataFrame) -> float:
    rows = rows.sort("at")
    if rows.height < 2:
        return 0.0
    first, last = rows["at"][0], rows["at"][-1]
    days = (last - first) / timedelta(days=1)
    return rows.height / days if days > 0 else math.inf


def _events(rows: pl.DataFrame, labels: pl.DataFrame, rules: Rules, cuts: dict[str, float], now: datetime) -> dict[str, pl.DataFrame]:
    """For each guard the rows that count for it, with a column ``event``."""
    answered = first_of_each(rows)
    due = pl.concat([matured(rows, labels, now, rules.after, missing=rules.missing, role=role) for role in ("answer", "shadow")])
    return {
        ERRORS: answered.with_columns(event=pl.col("outcome") != "ok"),
        LATENCY: answered.with_columns(event=pl.col("latency_s") > cuts.get(LATENCY, math.inf)),
        LOSS: due.with_columns(event=_wrong(due, cuts.get("wrong"))),
    }


def _wrong(due: pl.DataFrame, over: float | None) -> pl.Series:
    if over is not None:
        return (due["prediction"].cast(pl.Float64, strict=False) - due["label"].cast(pl.Float64, strict=False)).abs() > over
    said = due["prediction"].unique().to_list() + due["label"].unique().to_list()
    one_form = {text: _plain(text) for text in said}
    return due["prediction"].replace_strict(one_form, return_dtype=pl.String) != due["label"].replace_strict(
        one_form, return_dtype=pl.String
    )


def _plain(text: str) -> str:
    """One form for a class however it is written: true, 1 and 1.0 are the same class, and so are yes and "yes"."""
    value: Any = msgspec.json.decode(text)
    if isinstance(value, bool | int | float):
        return f"{float(value):g}"
    return str(value)


def _counts(events: pl.DataFrame, stage: int, share: float) -> Counts:
    rows = events.filter((pl.col("stage") == stage) & (pl.col("role") == "answer"))
    ours, theirs = rows.filter(pl.col("arm") == "challenger"), rows.filter(pl.col("arm") == "champion")
    return Counts(
        share=share,
        challenger=ours.height,
        challenger_events=int(ours["event"].sum()),
        champion=theirs.height,
        champion_events=int(theirs["event"].sum()),
    )


def _pairs(events: pl.DataFrame) -> Pairs:
    shadow = events.filter(pl.col("role") == "shadow").select("id", ours="event")
    both = shadow.join(events.filter(pl.col("role") == "answer").select("id", theirs="event"), on="id")
    return Pairs(
        requests=both.height,
        challenger_only=int((both["ours"] & ~both["theirs"]).sum()),
        champion_only=int((~both["ours"] & both["theirs"]).sum()),
        both=int((both["ours"] & both["theirs"]).sum()),
    )
