"""Where a project keeps its facts and its bytes, and by which clock: the choice of ledger, store and clock.

Apart from :mod:`towpath.wiring`, because asking what happened needs no more than this, and nothing here is slow to import.
"""

from __future__ import annotations

from pathlib import Path

from towpath.clock import Clock, ReplayClock, WallClock
from towpath.data.index import Index
from towpath.ledger.anchors import Anchors
from towpath.ledger.sqlite import SqliteLedger
from towpath.project import Project
from towpath.state import State, fold
from towpath.store.local import LocalStore


def ledger(project: Project) -> SqliteLedger:
    """The project's ledger."""
    return SqliteLedger(project.home / "ledger.sqlite")


def anchors(project: Project) -> Anchors:
    """The heads of the ledger that are kept outside it."""
    return Anchors(project.home / "anchors.jsonl")


def store(project: Project) -> LocalStore:
    """The project's store."""
    return LocalStore(project.home / "store")


def index(project: Project) -> Index:
    """What is known of the project's data files without reading them."""
    return Index(project.home / "index.msgpack")


def clock(replay: Path | None = None) -> Clock:
    """The project's clock: the world's, or the replayer's."""
    return ReplayClock(replay) if replay else WallClock()


def state(project: Project) -> State:
    """All that happened until now, folded."""
    return fold(ledger(project).read())
