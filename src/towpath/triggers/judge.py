"""Which wishes become runs. Pure: what was seen, what happened before, the rules, now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from towpath.digest import of_value
from towpath.events import Outcome, TriggerFired, TriggerRefused
from towpath.pipeline.runs import Runs
from towpath.project import Retrain, TriggerRule
from towpath.triggers.firings import Firings

_JUDGED = (Outcome.REGISTERED, Outcome.REJECTED, Outcome.HELD)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Something that asks for a run. ``key`` names the cause: one cause fires once."""

    trigger: str
    cause: str
    key: str


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset against the snapshot of the last training: ``state`` names what it holds now."""

    dataset: str
    rows_new: int
    share: float
    state: str
    unit: str = "rows"


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A finding about the version that serves, which no run has answered yet."""

    finding: int
    subject: str
    because: str


class Sights(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn saw of the world. ``head`` is None where commits are not to be looked at."""

    head: str | None
    growths: tuple[Growth, ...] = ()
    alarms: tuple[Alarm, ...] = ()


def wishes(sights: Sights, rules: Iterable[TriggerRule], runs: Runs) -> list[Wish]:
    """What asks for a run under the declared rules, most urgent first."""
    asked = {rule.kind: rule for rule in rules}
    found = [_of_alarm(alarm, sights) for alarm in sights.alarms if alarm.subject in asked]
    if "new_rows" in asked:
        grown = [growth for growth in sights.growths if growth.rows_new and growth.share >= asked["new_rows"].share]
        found += [_of_growth(growth) for growth in grown]
    if "commit" in asked and sights.head and sights.head not in {run.commit for run in runs.all.values()}:
        found.append(Wish(trigger="commit", cause=f"commit {sights.head[:8]}", key=f"commit:{sights.head}"))
    return found


def _of_alarm(alarm: Alarm, sights: Sights) -> Wish:
    """An open finding asks once for each commit and state of the data: from the same, training would learn the same."""
    learns_from = of_value([sights.head, sorted([growth.dataset, growth.state] for growth in sights.growths)])
    return Wish(trigger=alarm.subject, cause=f"finding {alarm.finding}: {alarm.because}", key=f"finding:{alarm.finding}:{learns_from}")


def _of_growth(growth: Growth) -> Wish:
    cause = f"{growth.rows_new:,} new {growth.unit} in {growth.dataset} (+{growth.share:.0%})"
    return Wish(trigger="new_rows", cause=cause, key=f"new_rows:{growth.dataset}:{growth.state}")


def judge(wanted: Sequence[Wish], firings: Firings, runs: Runs, rules: Retrain, now: datetime) -> list[TriggerFired | TriggerRefused]:
    """At most one firing; the other wishes are refused with a reason, each reason once.

    A cause fires once, but for one whose run was lost: that one may fire again.
    """
    lost = {run.number for run in runs.all.values() if run.lost}
    done = {decision.key for decision in firings.decisions if decision.answered_by is not None and decision.answered_by not in lost}
    events: list[TriggerFired | TriggerRefused] = []
    obstacle, sees = _obstacle(firings, runs, rules, now), None
    for wish in wanted:
        if wish.key in done:
            continue
        if not obstacle:
            number = max(runs.next_number, 1 + max((d.run or 0 for d in firings.decisions), default=0))
            events.append(TriggerFired(trigger=wish.trigger, cause=wish.cause, key=wish.key, run=number))
            obstacle, sees = f"run {number} was started in the same turn and sees this too", number
        elif _is_news(wish, obstacle, firings):
            events.append(TriggerRefused(trigger=wish.trigger, cause=wish.cause, key=wish.key, because=obstacle, seen_by=sees))
    return events


def _obstacle(firings: Firings, runs: Runs, rules: Retrain, now: datetime) -> str:
    """Why no run may start now; empty when one may."""
    pending = waiting(firings, runs)
    if runs.going_on or pending:
        number = runs.going_on.number if runs.going_on else pending[0].run
        return f"run {number} is going on; one run at a time"
    last = max((run.started for run in runs.all.values() if run.trigger != "command"), default=None)
    if last and now - last < rules.cooldown:
        return f"cooldown: the last run started {_hours(now - last)} ago, {_hours(rules.cooldown)} must pass"
    recent = firings.since(now - rules.limit.period)
    if len(recent) >= rules.limit.count:
        return f"limit: {len(recent)} runs were started within {_hours(rules.limit.period)}, {rules.limit} allowed"
    return ""


def waiting(firings: Firings, runs: Runs) -> list[TriggerFired]:
    """Firings whose run has not begun: a turn that died between deciding and acting left them."""
    return [
        TriggerFired(trigger=d.trigger, cause=d.cause, key=d.key, run=d.run)
        for d in firings.decisions
        if d.run is not None and d.run not in runs.all
    ]


def unanswered(alarms: Iterable[tuple[Alarm, datetime]], runs: Runs) -> list[Alarm]:
    """Findings made after the last run began that answers them: one that is at work, or that ended with a model judged.

    A run that found nothing changed, was stopped, failed or was lost has learned nothing that a finding asked for.
    """
    last = max((run.started for run in runs.all.values() if run.is_going_on or run.outcome in _JUDGED), default=None)
    return [alarm for alarm, at in alarms if last is None or at > last]


def _is_news(wish: Wish, because: str, firings: Firings) -> bool:
    last = firings.last_refusal(wish.trigger, wish.cause)
    return last is None or last.because.split(":")[0] != because.split(":")[0]


def _hours(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds / 86400:.1f} d" if seconds >= 86400 else f"{seconds / 3600:.1f} h"
