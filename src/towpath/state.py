"""The state of a project: folded from the ledger, never kept anywhere else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from towpath import events as ev
from towpath.data import erasures, exclusions
from towpath.ledger import Head, Record
from towpath.monitor import findings
from towpath.monitor.alerts.message import is_told
from towpath.pipeline import runs
from towpath.registry import versions
from towpath.release import live
from towpath.triggers import firings


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Every stage's own state, as of one position of the ledger."""

    head: Head = Head()
    at: datetime | None = None
    runs: runs.Runs = runs.Runs()
    registry: versions.Registry = versions.Registry()
    live: live.Live = live.Live()
    firings: firings.Firings = firings.Firings()
    findings: findings.Findings = findings.Findings()
    exclusions: exclusions.Exclusions = exclusions.Exclusions()
    erasures: erasures.Erasures = erasures.Erasures()
    delivered: dict[str, int] = {}
    news: int = 0  # position of the latest event that the world outside is to hear of


_TOLD = (ev.RunEnded, ev.RunLost, ev.ReleaseStarted, ev.VersionPromoted, ev.VersionRolledBack, ev.ReleaseAbandoned)


def apply(state: State, record: Record) -> State:
    """The state after one more record."""
    entry = record.entry
    told = {entry.event.target: entry.event.position} if isinstance(entry.event, ev.Delivered) else {}
    return State(
        head=Head(record.position, record.hash),
        at=entry.at,
        runs=runs.apply(state.runs, entry),
        registry=versions.apply(state.registry, entry),
        live=live.apply(state.live, entry),
        firings=firings.apply(state.firings, entry),
        findings=findings.apply(state.findings, entry),
        exclusions=exclusions.apply(state.exclusions, entry),
        erasures=erasures.apply(state.erasures, entry),
        delivered={**state.delivered, **told},
        news=record.position if isinstance(entry.event, _TOLD) or is_told(entry.event) else state.news,
    )


def fold(records: Iterable[Record], state: State | None = None, *, until: datetime | None = None) -> State:
    """The state after all ``records``; with ``until``, after those of that time and before."""
    state = state or State()
    for record in records:
        if until is not None and record.entry.at > until:
            break
        state = apply(state, record)
    return state
