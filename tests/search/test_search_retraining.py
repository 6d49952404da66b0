"""Which parameters a retraining takes: by what is declared, and by how retrains for the same finding ended."""

from datetime import UTC, datetime, timedelta

import pytest

from towpath import events as ev
from towpath.ledger import Entry
from towpath.pipeline import runs as runs_of
from towpath.search.retraining import choose, rejected_for
from towpath.triggers import Firings, firings

WAYS = ("reuse", "resume", "fresh")


@pytest.mark.parametrize("declared", WAYS)
def test_the_first_run_searches_whatever_is_declared(declared):
    assert choose(declared, searched=False).way == "fresh"


@pytest.mark.parametrize("declared", WAYS)
@pytest.mark.parametrize("rejected", range(6))
def test_two_rejections_are_followed_by_one_fresh_search(declared, rejected):
    chosen = choose(declared, searched=True, finding=4, rejected=rejected)
    assert chosen.way == ("fresh" if rejected == 2 else declared)
    assert ("finding 4" in chosen.because) == (rejected == 2)


def test_without_a_finding_the_declared_way_is_taken():
    assert choose("reuse", searched=True, rejected=2).way == "reuse"


def history(*told: tuple[str, ev.Outcome | None]) -> tuple[Firings, runs_of.Runs]:
    """Runs by their key and outcome; None is a run that was lost."""
    fired, runs = Firings(), runs_of.Runs()
    at = datetime(2013, 1, 1, tzinfo=UTC)
    for number, (key, outcome) in enumerate(told, 1):
        started = ev.RunStarted(run=number, trigger="drift", cause="", commit="c", patch=None, host="h", boot="b", pid=1)
        end = ev.RunEnded(run=number, outcome=outcome, because="") if outcome else ev.RunLost(run=number, because="")
        for event in (ev.TriggerFired(trigger="drift", cause="", key=key, run=number), started, end):
            at += timedelta(hours=1)
            entry = Entry(id=str(at), at=at, machine=0.0, event=event)
            fired, runs = firings.apply(fired, entry), runs_of.apply(runs, entry)
    return fired, runs


def test_rejections_are_counted_by_finding_and_nothing_else_is_one():
    rejected, held = ev.Outcome.REJECTED, ev.Outcome.HELD
    fired, runs = history(
        ("finding:1:a", rejected),
        ("finding:11:a", rejected),
        ("new_rows:rows:a", rejected),
        ("finding:1:b", held),
        ("finding:1:c", None),
        ("finding:1:d", ev.Outcome.FAILED),
        ("finding:1:e", rejected),
    )
    assert rejected_for(1, fired, runs) == 2
    assert rejected_for(11, fired, runs) == 1
    assert rejected_for(2, fired, runs) == 0


def test_a_finding_gets_one_fresh_search_in_its_life():
    """Each retrain for it is rejected: what is done, run for run."""
    done, told = [], []
    for number in range(6):
        fired, runs = history(*told)
        done.append(choose("reuse", searched=True, finding=1, rejected=rejected_for(1, fired, runs)).way)
        told.append((f"finding:1:{number}", ev.Outcome.REJECTED))
    assert done == ["reuse", "reuse", "fresh", "reuse", "reuse", "reuse"]


def test_a_fresh_search_that_was_lost_is_made_again():
    rejected = ev.Outcome.REJECTED
    fired, runs = history(("finding:1:a", rejected), ("finding:1:b", rejected), ("finding:1:c", None))
    assert choose("reuse", searched=True, finding=1, rejected=rejected_for(1, fired, runs)).way == "fresh"
