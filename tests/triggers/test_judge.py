"""The triggers' judgement: one cause once, one run at a time, cooldown, limit; every refusal has its reason, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath import events as ev
from towpath.ledger import Entry
from towpath.pipeline import runs as runs_of
from towpath.pipeline.runs import Runs
from towpath.project import Retrain, TriggerRule
from towpath.quantities import rate
from towpath.triggers import Alarm, Firings, Growth, Sights, Wish, judge, unanswered, waiting, wishes
from towpath.triggers import firings as firings_of

NOW = datetime(2013, 5, 1, tzinfo=UTC)
ALL = (TriggerRule(kind="commit"), TriggerRule(kind="new_rows", share=0.1), TriggerRule(kind="drift"), TriggerRule(kind="performance"))
OPEN = Retrain(when=ALL)


def entry(event: ev.AnyEvent, at: datetime = NOW) -> Entry:
    return Entry(id=str(id(event)), at=at, machine=0.0, event=event)


def started(number: int, trigger: str = "commit", commit: str = "c0") -> ev.RunStarted:
    return ev.RunStarted(run=number, trigger=trigger, cause="", commit=commit, host="h", boot="b", pid=1)


def after(*told: tuple[ev.AnyEvent, datetime]) -> tuple[Runs, Firings]:
    runs, fired = Runs(), Firings()
    for event, at in told:
        runs, fired = runs_of.apply(runs, entry(event, at)), firings_of.apply(fired, entry(event, at))
    return runs, fired


def fired(number: int, key: str = "k", trigger: str = "new_rows") -> ev.TriggerFired:
    return ev.TriggerFired(trigger=trigger, cause="c", key=key, run=number)


def ended(number: int, outcome: ev.Outcome = ev.Outcome.REGISTERED) -> ev.RunEnded:
    return ev.RunEnded(run=number, outcome=outcome, because="")


WISH = Wish(trigger="new_rows", cause="100 new rows", key="new_rows:a")


def test_what_is_not_declared_asks_for_nothing() -> None:
    sights = Sights(
        head="c1", growths=(Growth(dataset="d", rows_new=5, share=0.5, state="s"),), alarms=(Alarm(finding=1, subject="drift", because=""),)
    )
    assert wishes(sights, (), Runs()) == []
    assert [wish.trigger for wish in wishes(sights, ALL, Runs())] == ["drift", "new_rows", "commit"]


def test_a_small_growth_asks_for_nothing() -> None:
    small, large = (Growth(dataset="d", rows_new=5, share=share, state="s") for share in (0.099, 0.1))
    assert wishes(Sights(head=None, growths=(small,)), ALL, Runs()) == []
    assert [wish.key for wish in wishes(Sights(head=None, growths=(large,)), ALL, Runs())] == ["new_rows:d:s"]


def test_a_commit_that_ran_asks_for_nothing() -> None:
    runs, _ = after((started(1, commit="c1"), NOW))
    assert wishes(Sights(head="c1"), ALL, runs) == []
    assert [wish.cause for wish in wishes(Sights(head="c2aaaaaaaaaa"), ALL, runs)] == ["commit c2aaaaaa"]


def test_of_several_wishes_one_fires_and_the_others_are_told_why() -> None:
    other = Wish(trigger="commit", cause="commit c1", key="commit:c1")
    first, second = judge([WISH, other], Firings(), Runs(), OPEN, NOW)
    assert isinstance(first, ev.TriggerFired)
    assert first.run == 1
    assert isinstance(second, ev.TriggerRefused)
    assert "run 1" in second.because
    runs, log = after((first, NOW), (second, NOW), (started(1), NOW), (ended(1), NOW))
    assert judge([WISH, other], log, runs, OPEN, NOW + timedelta(days=9)) == []  # both are answered
    runs, log = after((first, NOW), (second, NOW), (started(1), NOW), (ev.RunLost(run=1, because="gone"), NOW))
    assert [type(event) for event in judge([other], log, runs, OPEN, NOW)] == [ev.TriggerFired]


def test_a_cause_fires_once() -> None:
    runs, log = after((fired(1, WISH.key), NOW), (started(1), NOW), (ended(1), NOW))
    assert judge([WISH], log, runs, OPEN, NOW + timedelta(days=9)) == []


def test_a_cause_whose_run_was_lost_fires_again() -> None:
    runs, log = after((fired(1, WISH.key), NOW), (started(1), NOW), (ev.RunLost(run=1, because="gone"), NOW))
    (again,) = judge([WISH], log, runs, OPEN, NOW)
    assert isinstance(again, ev.TriggerFired)
    assert again.run == 2


@pytest.mark.parametrize("has_begun", [True, False])
def test_one_run_at_a_time(has_begun: bool) -> None:
    told = [(fired(1, "other"), NOW), *([(started(1), NOW)] if has_begun else [])]
    runs, log = after(*told)
    (refused,) = judge([WISH], log, runs, OPEN, NOW)
    assert isinstance(refused, ev.TriggerRefused)
    assert "run 1 is going on" in refused.because
    assert [firing.run for firing in waiting(log, runs)] == ([] if has_begun else [1])


def test_the_same_refusal_is_told_once() -> None:
    runs, log = after((fired(1, "other"), NOW), (started(1), NOW))
    (refused,) = judge([WISH], log, runs, OPEN, NOW)
    log = firings_of.apply(log, entry(refused))
    assert judge([WISH], log, runs, OPEN, NOW + timedelta(hours=1)) == []


def test_the_cooldown_holds_back_and_ends() -> None:
    rules = Retrain(when=ALL, cooldown=timedelta(hours=6))
    runs, log = after((fired(1, "other"), NOW), (started(1), NOW), (ended(1), NOW))
    (refused,) = judge([WISH], log, runs, rules, NOW + timedelta(hours=5))
    assert isinstance(refused, ev.TriggerRefused)
    assert refused.because == "cooldown: the last run started 5.0 h ago, 6.0 h must pass"
    (later,) = judge([WISH], log, runs, rules, NOW + timedelta(hours=6))
    assert isinstance(later, ev.TriggerFired)


def test_a_command_starts_no_cooldown() -> None:
    runs, log = after((started(1, trigger="command"), NOW), (ended(1), NOW))
    (event,) = judge([WISH], log, runs, Retrain(when=ALL, cooldown=timedelta(hours=6)), NOW + timedelta(minutes=1))
    assert isinstance(event, ev.TriggerFired)


def test_the_limit_holds_back_until_its_period_is_over() -> None:
    rules = Retrain(when=ALL, limit=rate("1/week"))
    runs, log = after((fired(1, "other"), NOW), (started(1), NOW), (ended(1), NOW))
    (refused,) = judge([WISH], log, runs, rules, NOW + timedelta(days=6))
    assert isinstance(refused, ev.TriggerRefused)
    assert "1/week" in refused.because
    (event,) = judge([WISH], log, runs, rules, NOW + timedelta(days=8))
    assert isinstance(event, ev.TriggerFired)


@pytest.mark.parametrize(
    ("ends", "answers"),
    [
        ((), True),
        ((ended(1),), True),
        ((ended(1, ev.Outcome.REJECTED),), True),
        ((ended(1, ev.Outcome.HELD),), True),
        ((ended(1, ev.Outcome.UNCHANGED),), False),
        ((ended(1, ev.Outcome.STOPPED),), False),
        ((ended(1, ev.Outcome.FAILED),), False),
        ((ev.RunLost(run=1, because="gone"),), False),
    ],
)
def test_a_finding_is_answered_by_a_run_that_began_after_it_and_judged_a_model(ends: tuple[ev.AnyEvent, ...], answers: bool) -> None:
    runs, _ = after((started(1), NOW), *((event, NOW + timedelta(hours=2)) for event in ends))
    before, behind = (Alarm(finding=n, subject="drift", because="") for n in (1, 2))
    found = [(before, NOW - timedelta(hours=1)), (behind, NOW + timedelta(hours=1))]
    assert unanswered(found, runs) == ([behind] if answers else [before, behind])
    assert unanswered(found, Runs()) == [before, behind]


def test_a_finding_fires_again_only_when_there_is_something_else_to_learn_from() -> None:
    def wish(head: str = "c1", state: str = "s1") -> list[Wish]:
        growth = Growth(dataset="d", rows_new=0, share=0.0, state=state)
        return wishes(
            Sights(head=head, growths=(growth,), alarms=(Alarm(finding=1, subject="performance", because="auc fell"),)), ALL[2:], Runs()
        )

    (first,) = judge(wish(), Firings(), Runs(), OPEN, NOW)
    runs, log = after((first, NOW), (started(1, "performance"), NOW), (ended(1, ev.Outcome.UNCHANGED), NOW))
    later = NOW + timedelta(days=9)
    assert judge(wish(), log, runs, OPEN, later) == []
    for other in (wish(head="c2"), wish(state="s2")):
        assert [type(event) for event in judge(other, log, runs, OPEN, later)] == [ev.TriggerFired]


def test_a_finding_that_must_wait_is_refused_once_however_the_data_grow() -> None:
    runs, log = after((fired(1, "other"), NOW), (started(1), NOW))
    alarm = Alarm(finding=1, subject="drift", because="wind moved")
    told = []
    for state in ("s1", "s2", "s3"):
        growth = Growth(dataset="d", rows_new=1, share=0.01, state=state)
        refusals = judge(wishes(Sights(head=None, growths=(growth,), alarms=(alarm,)), ALL, runs), log, runs, OPEN, NOW)
        told += refusals
        for event in refusals:
            log = firings_of.apply(log, entry(event))
    assert [event.because for event in told] == ["run 1 is going on; one run at a time"]


@given(st.lists(st.sampled_from("abcde"), max_size=12), st.integers(1, 3))
def test_a_storm_of_causes_gives_at_most_one_run(keys: list[str], limit: int) -> None:
    """Whatever is wished for, turn after turn: never two runs at once, never one cause twice, never more than the limit."""
    rules = Retrain(when=ALL, limit=rate(f"{limit}/week"))
    runs, log = Runs(), Firings()
    for number, key in enumerate(keys):
        at = NOW + timedelta(minutes=number)
        wanted = [Wish(trigger="drift", cause="", key=key), WISH]
        for event in judge(wanted, log, runs, rules, at):
            log = firings_of.apply(log, entry(event, at))
            if isinstance(event, ev.TriggerFired):
                runs = runs_of.apply(runs, entry(started(event.run), at))
        if number % 2 and runs.going_on:
            runs = runs_of.apply(runs, entry(ended(runs.going_on.number), at))
        assert sum(run.is_going_on for run in runs.all.values()) <= 1
    done = [decision.key for decision in log.decisions if decision.run is not None]
    assert len(done) == len(set(done)) <= limit
