"""The monitors' rounds: what drift and performance say of the champion, from the journal's rows.

Kept between turns, a round reads only the windows that have ended since. Made anew it says the same, as far as the rows
it is given reach back; that a finding is told once is the ledger's doing (``findings.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from towpath.digest import Digest
from towpath.journal.join import first_of_each, matured
from towpath.monitor import drift, performance
from towpath.monitor.findings import Finding, Key
from towpath.monitor.profile import SCORE, Logical, Profile, count, decode
from towpath.project import Monitor
from towpath.project_model import Label
from towpath.quantities import Rate
from towpath.store import Store

ENVIRONMENT = "production"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARLY = Rate(1, timedelta(days=365))


class Champion(msgspec.Struct, frozen=True, kw_only=True):
    """Who is watched: since when it serves, where its profile lies, its figures at its gates with their standard errors, its classes."""

    version: int
    since: datetime
    profile: Digest | None
    figures: dict[str, float] = {}
    standard_errors: dict[str, float] | None = None
    classes: tuple[Any, ...] = ()

    def standard_error(self, metric: str) -> float | None:
        """Of the figure at the gates: None where the holdout did not tell, 0 for a champion that was judged before this was recorded."""
        return 0.0 if self.standard_errors is None else self.standard_errors.get(metric)


class Rounds:
    """Drift once a window, performance once a step of a window; between them a call costs next to nothing."""

    def __init__(self, monitor: Monitor, label: Label, task: str, store: Store) -> None:
        self._monitor, self._label, self._task, self._store = monitor, label, task, store
        self._window = monitor.drift.window if monitor.drift else timedelta(days=1)
        self._champion: Champion | None = None
        self._profile: Profile | None = None
        self._watch = drift.Watch()
        self._found: dict[Key, Finding] = {}
        self._looked: datetime | None = None
        self.looks: tuple[performance.Look, ...] = ()

    def make(self, champion: Champion, predictions: pl.DataFrame, labels: pl.DataFrame, now: datetime) -> list[Finding]:
        """All that was found about this champion up to ``now``; drift first, by effect.

        Args:
            predictions: the journal's rows, from ``champion.since`` on at least.
            labels: the journal's.
        """
        if champion != self._champion:
            self._begin(champion)
        until = window_start(now, self._window)
        if self._looked is None or until > self._looked:
            served = predictions.filter(pl.col("environment") == ENVIRONMENT)
            self._drift(champion, served, until)
            self._performance(champion, served, labels, until)
            self._looked = until
        return sorted(self._found.values(), key=lambda one: (one.subject, -one.effect, one.what))

    def _begin(self, champion: Champion) -> None:
        wanted = champion.profile if self._monitor.drift else None
        self._champion, self._profile = champion, decode(self._store.get(wanted)) if wanted else None
        first = window_start(champion.since + self._window - timedelta(microseconds=1), self._window)
        self._watch = drift.Watch(version=champion.version, until=first)
        self._found, self._looked, self.looks = {}, None, ()

    def _drift(self, champion: Champion, served: pl.DataFrame, until: datetime) -> None:
        if self._profile is None or self._monitor.drift is None or self._watch.until is None:
            return
        rate = self._monitor.drift.false_alarms
        for end, rows in windows(served, self._watch.until, until, self._window):
            seen = count(self._profile, raw_rows(rows, self._profile), scores=_scores(rows, champion.version))
            self._watch, found = drift.watch_next(self._watch, self._profile, seen, version=champion.version, end=end, false_alarms=rate)
            self._found |= {one.key: one for one in found}

    def _performance(self, champion: Champion, served: pl.DataFrame, labels: pl.DataFrame, until: datetime) -> None:
        declared = self._monitor.performance
        rate = self._monitor.drift.false_alarms if self._monitor.drift else _YEARLY
        alpha = performance.alpha_of_a_look(rate, self._window, len(declared))
        its_own = served.filter((pl.col("answered_by") == champion.version) & (pl.col("at") >= champion.since))
        recent = its_own.filter(pl.col("at") >= until - self._monitor.window - self._label.after)
        due = matured(recent, labels, until, self._label.after, missing=self._label.missing)
        judged, looks = with_values(due, self._task, champion.classes), []
        for name, limit in declared.items():
            value = performance.limit_value(limit, champion.figures.get(name))
            error = champion.standard_error(name) if limit.champion else 0.0
            if value is None or error is None:
                continue  # a champion without that figure at its gates, or with one that says nothing, cannot fall below it
            rule = performance.Rule(
                task=self._task,
                metric=name,
                limit=value,
                limit_error=error,
                alpha=alpha,
                window=self._monitor.window,
                step=self._window,
                classes=champion.classes,
                delay=self._label.after,
            )
            looks.append(performance.look(rule, judged, until))
            found = performance.finding(looks[-1], rule, champion.version, until)
            if found:
                self._found.setdefault(found.key, found)
        self.looks = tuple(looks)


def window_start(now: datetime, window: timedelta) -> datetime:
    """Start of the window that ``now`` is in: windows are counted from 1970, UTC.

    >>> window_start(datetime(2013, 4, 1, 15, tzinfo=UTC), timedelta(days=1))
    datetime.datetime(2013, 4, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    return _EPOCH + (now - _EPOCH) // window * window


def windows(rows: pl.DataFrame, start: datetime, until: datetime, window: timedelta) -> Iterator[tuple[datetime, pl.DataFrame]]:
    """Each whole window of [``start``, ``until``) that has rows, as (its end, its rows), in order. ``start`` is a window's."""
    answers = first_of_each(rows.filter(pl.col("at").is_between(start, until, closed="left") & (pl.col("role") == "answer")))
    numbered = answers.with_columns(_window=(pl.col("at") - pl.lit(start)).dt.total_microseconds() // (window // timedelta(microseconds=1)))
    for (number,), part in numbered.sort("_window", maintain_order=True).group_by("_window", maintain_order=True):
        yield start + (int(str(number)) + 1) * window, part.drop("_window")


def raw_rows(rows: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """The raw columns of journal rows that the profile knows, as text or in their own type; what a row lacks is null."""
    known = {name: pl.Boolean if column.type is Logical.BOOLEAN else pl.String for name, column in profile.columns.items() if name != SCORE}
    if not known:
        return pl.DataFrame()
    return rows["row"].str.json_decode(pl.Struct(known)).struct.unnest()


def with_values(due: pl.DataFrame, task: str, classes: tuple[Any, ...] = ()) -> pl.DataFrame:
    """Matured rows with ``at``, ``score`` and ``label`` as values; the journal keeps labels as JSON. Nulls are left out.

    The journal has no scores of a multiclass task: there a prediction counts as certain, so of its metrics only those
    that look at the predicted class alone say something.
    """
    labels, scores = _decoded(due["label"]), due["score"].to_list()
    if task == "multiclass":
        scores = [[float(kind == said) for kind in classes] or None for said in _decoded(due["prediction"])]
    kept = [n for n, (label, score) in enumerate(zip(labels, scores, strict=True)) if label is not None and score is not None]
    score_type = pl.List(pl.Float64) if task == "multiclass" else pl.Float64
    return pl.DataFrame(
        {
            "at": due["at"].gather(kept),
            "label": pl.Series([labels[n] for n in kept], strict=False),
            "score": pl.Series([scores[n] for n in kept], dtype=score_type),
        }
    )


def _decoded(texts: pl.Series) -> list[Any]:
    values = {text: msgspec.json.decode(text) for text in texts.unique().to_list()}
    return [values[text] for text in texts.to_list()]


def _scores(rows: pl.DataFrame, version: int) -> pl.Series:
    return rows.filter(pl.col("answered_by") == version)["score"]
