"""The only place that chooses adapters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from towpath.clock import Clock, ReplayClock, WallClock
from towpath.ledger.anchors import Anchors
from towpath.ledger.sqlite import SqliteLedger
from towpath.project import Project
from towpath.store.local import LocalStore

REPLAY = "TOWPATH_REPLAY_CLOCK"  # names the clock file of a replay; a backtest sets it for its children


def ledger(project: Project) -> SqliteLedger:
    """The project's ledger."""
    return SqliteLedger(project.home / "ledger.sqlite")


def anchors(project: Project) -> Anchors:
    """The heads of the ledger that are kept outside it."""
    return Anchors(project.home / "anchors.jsonl")


def store(project: Project) -> LocalStore:
    """The project's store."""
    return LocalStore(project.home / "store")


def clock(environ: Mapping[str, str]) -> Clock:
    """The project's clock: the world's, or the replayer's."""
    return ReplayClock(Path(environ[REPLAY])) if environ.get(REPLAY) else WallClock()
