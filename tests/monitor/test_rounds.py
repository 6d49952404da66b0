"""The monitors' rounds, over a real journal: drift by windows, performance by matured labels."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from towpath.journal.memory import MemoryJournal
from towpath.journal.port import Batch, Label, Scored
from towpath.monitor.profile import encode, profile
from towpath.monitor.rounds import Champion, Rounds, raw_rows, windows, with_values
from towpath.project import Monitor
from towpath.project_model import Label as LabelRule
from towpath.project_reading import read
from towpath.store.memory import MemoryStore

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MONITOR = read(Monitor, {"performance": {"auc": "champion - 0.04"}, "window": "7d"})
LATE = read(LabelRule, {"column": "late", "after": "1d"})


def journal(days: int, *, a_day: int = 400, moved_from: int = 10**6, unskilled_from: int = 10**6) -> MemoryJournal:
    rng, kept = np.random.default_rng(1), MemoryJournal()
    predictions, labels = [], []
    for number in range(days * a_day):
        at = START + DAY * (number / a_day)
        day = number // a_day
        km, signal = float(rng.normal(1.0 if day >= moved_from else 0.0)), float(rng.normal())
        odds = signal if day < unskilled_from else 0.0
        row = json.dumps({"km": km, "carrier": str(rng.choice(["UA", "AA"])), "international": bool(rng.random() < 0.3)})
        name = f"p{number}"
        score = 1 / (1 + np.exp(-signal))
        predictions.append(
            Scored(id=name, at=at, environment="production", version=1, answered_by=1, latency_s=0.01, row=row, prediction="1", score=score)
        )
        labels.append(Label(id=name, at=at + timedelta(hours=20), value=int(rng.random() < 1 / (1 + np.exp(-odds)))))
    kept.append([Batch(segment="s", start=0, end=1, rows=tuple(predictions))])
    kept.label([Batch(segment="s", start=0, end=1, rows=tuple(labels))])
    return kept


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def champion(store: MemoryStore, **changes) -> Champion:
    rng = np.random.default_rng(2)
    n = 10_000
    frame = pl.DataFrame({"km": rng.normal(size=n), "carrier": rng.choice(["UA", "AA"], n), "international": rng.random(n) < 0.3})
    times = pl.Series([START - 60 * DAY + 60 * DAY * (i / n) for i in range(n)])
    scores = pl.Series(1 / (1 + np.exp(-rng.normal(size=2000))))
    digest = store.put(encode(profile(frame, time=times, scores=scores)))
    return Champion(**{"version": 1, "since": START, "profile": digest, "figures": {"auc": 0.74}, **changes})


def made(rounds: Rounds, who: Champion, rows: MemoryJournal, days: range) -> list[tuple[int, str, str]]:
    """What each new finding was, and on which day it was first there."""
    seen: dict[tuple[str, str], int] = {}
    for day in days:
        now = START + DAY * day + timedelta(minutes=5)
        so_far = rows.predictions().frame.filter(pl.col("at") < now)
        for one in rounds.make(who, so_far, rows.labels().frame, now):
            seen.setdefault((one.subject, one.what), day)
    return [(day, *key) for key, day in seen.items()]


def test_quiet_weeks_are_quiet(store):
    rounds = Rounds(MONITOR, LATE, "binary", store)
    assert made(rounds, champion(store), journal(20), range(21)) == []
    assert [str(look.standing) for look in rounds.looks] == ["fine"]


def test_a_moved_column_and_a_lost_skill_are_found_by_name(store):
    rows = journal(24, moved_from=10, unskilled_from=12)
    found = made(Rounds(MONITOR, LATE, "binary", store), champion(store), rows, range(25))
    assert [one[1:] for one in found] == [("drift", "km"), ("performance", "auc")]
    drift_day, performance_day = (one[0] for one in found)
    assert 11 < drift_day <= 14
    assert 14 < performance_day <= 24


def test_a_round_made_anew_says_the_same(store):
    rows, who = journal(16, moved_from=10), champion(store)
    kept = Rounds(MONITOR, LATE, "binary", store)
    made(kept, who, rows, range(16))
    now = START + 16 * DAY
    anew = Rounds(MONITOR, LATE, "binary", store).make(who, rows.predictions().frame, rows.labels().frame, now)
    assert kept.make(who, rows.predictions().frame, rows.labels().frame, now) == anew
    assert [finding.what for finding in anew] == ["km"]


def test_the_next_champion_starts_with_a_clean_slate(store):
    rows, rounds = journal(16, moved_from=10), Rounds(MONITOR, LATE, "binary", store)
    assert made(rounds, champion(store), rows, range(17)) != []
    assert (
        rounds.make(champion(store, version=2, since=START + 15 * DAY), rows.predictions().frame, rows.labels().frame, START + 16 * DAY)
        == []
    )


def test_without_a_profile_or_figures_nothing_is_said(store):
    rounds = Rounds(MONITOR, LATE, "binary", store)
    assert made(rounds, champion(store, profile=None, figures={}), journal(4), range(5)) == []
    assert rounds.looks == ()


def test_a_limit_by_the_champion_is_as_certain_as_its_figure_at_the_gates(store):
    rows = journal(10)

    def limit_errors(**changes) -> list[float]:
        rounds = Rounds(MONITOR, LATE, "binary", store)
        made(rounds, champion(store, profile=None, **changes), rows, range(10, 11))
        return [look.limit_error for look in rounds.looks]

    assert limit_errors(standard_errors={"auc": 0.02}) == [0.02]
    assert limit_errors(standard_errors={"accuracy": 0.02}) == []  # the holdout did not tell how certain its auc is
    assert limit_errors(standard_errors=None) == [0.0]  # judged before it was recorded


def test_windows_hold_answers_once_and_only_whole_days():
    rows = journal(3, a_day=4).predictions().frame
    again = pl.concat([rows, rows.with_columns(position=pl.col("position") + 1000), rows.with_columns(role=pl.lit("shadow"))])
    cut = list(windows(again, START, START + 2 * DAY, DAY))
    assert [(end, part.height) for end, part in cut] == [(START + DAY, 4), (START + 2 * DAY, 4)]


def test_rows_are_read_in_the_columns_of_the_profile(store):
    known = profile(pl.DataFrame({"km": [1.0], "late": [True], "carrier": ["UA"]}))
    rows = pl.DataFrame({"row": ['{"km": 2, "late": false, "carrier": "AA", "more": [1]}', '{"carrier": null}']})
    assert raw_rows(rows, known).to_dicts() == [{"km": "2", "late": False, "carrier": "AA"}, {"km": None, "late": None, "carrier": None}]


def test_labels_are_values_and_a_class_that_was_said_counts_as_certain():
    due = pl.DataFrame(
        {
            "at": [START] * 3,
            "score": pl.Series([None] * 3, dtype=pl.Float64),
            "prediction": ['"b"', '"a"', '"a"'],
            "label": ['"b"', "null", '"b"'],
        }
    )
    read = with_values(due, "multiclass", ("a", "b"))
    assert read["label"].to_list() == ["b", "b"]
    assert read["score"].to_list() == [[0.0, 1.0], [1.0, 0.0]]
    assert with_values(due.with_columns(score=pl.lit(0.5), label=pl.lit("true")), "binary")["label"].to_list() == [True] * 3
