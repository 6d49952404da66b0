"""Findings: each once for one champion."""

from __future__ import annotations

from datetime import UTC, datetime

from towpath.events import Delivered, FindingMade
from towpath.ledger import entry
from towpath.monitor.findings import Finding, Findings, apply, news

AT = datetime(2026, 1, 2, tzinfo=UTC)


class Noon:
    def now(self) -> datetime:
        return AT


def found(what: str = "temp", version: int = 1, effect: float = 0.2) -> Finding:
    return Finding(subject="drift", what=what, version=version, because=f"{what} drifted", effect=effect, start=AT, end=AT)


def told(findings: Findings, events: list[FindingMade]) -> Findings:
    for event in events:
        findings = apply(findings, entry(event, Noon()))
    return findings


def test_a_finding_is_made_once_for_a_champion_and_again_for_the_next():
    first = news(Findings(), [found(), found("visib"), found(effect=0.9)])
    assert [(event.finding, event.what, event.effect) for event in first] == [(1, "temp", 0.2), (2, "visib", 0.2)]
    known = told(Findings(), first)
    assert news(known, [found(), found("visib")]) == []
    again = news(known, [found(version=2), found()])
    assert [(event.finding, event.version) for event in again] == [(3, 2)]
    later = told(known, again)
    assert [event.finding for event in later.about(1)] == [1, 2]
    assert later.times == (AT,) * 3


def test_other_events_change_nothing():
    known = told(Findings(), news(Findings(), [found()]))
    assert apply(known, entry(Delivered(target="t", position=1), Noon())) is known
