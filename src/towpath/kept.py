"""Where a project keeps its facts, and by which clock: the choice of ledger and clock.

Apart from :mod:`towpath.wiring`, because asking what happened needs no more than this, and nothing here is slow to import.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from towpath import holdings, stores
from towpath.clock import Clock, ReplayClock, WallClock
from towpath.digest import of_bytes
from towpath.errors import UsageError
from towpath.ledger import Ledger
from towpath.ledger.anchors import Anchors
from towpath.ledger.remembered import Remembered
from towpath.ledger.sqlite import SqliteLedger
from towpath.project import Project
from towpath.project_fields import shown
from towpath.records import Records
from towpath.state import State, fold

SMALL_S = 30.0  # how long a call for a ledger's small objects may take


def ledger(project: Project, *, afresh: bool = False) -> Ledger:
    """The project's ledger: where ``ledger`` says, else at ``remote``, else in a file beside the project.

    ``afresh``: nothing is taken from what was read and remembered before, as a check of the whole wants it.
    """
    place = project.ledger or project.remote
    if place is None:
        return SqliteLedger(project.home / "ledger.sqlite")
    shared: Ledger
    if place.startswith(("postgresql:", "postgres:")):
        shared = import_module("towpath.ledger.postgres").PostgresLedger(place)
    else:
        bucket = stores.bucket(place, project.root, patience_s=SMALL_S, whole_call_s=SMALL_S)
        known = project.home / f"ledger-{of_bytes(bucket.place.encode())[:16]}.jsonl"
        shared = import_module("towpath.ledger.objects").ObjectLedger(bucket, remembered=None if afresh else Remembered(known))
    return shared


def ledger_alone(project: Project, file: Path | None = None) -> tuple[Ledger, Anchors]:
    """A ledger in a file, with its anchors: the one that this project had before it had a team, or another's.

    Raises UsageError where there is no such file.
    """
    path = file or project.home / "ledger.sqlite"
    if not path.is_file():
        raise UsageError(f"there is no ledger {path}", mend="name the file: `--from DIR/.towpath/ledger.sqlite`")
    return SqliteLedger(path), Anchors(path.with_name("anchors.jsonl"))


def anchors(project: Project) -> Anchors:
    """The heads of the project's ledger that are kept outside it, on this machine: for each ledger it ever had, its own."""
    place = project.ledger or project.remote
    return Anchors(project.home / (f"anchors-{of_bytes(shown(place).encode())[:16]}.jsonl" if place else "anchors.jsonl"))


def clock(replay: Path | None = None) -> Clock:
    """The project's clock: the world's, or the replayer's."""
    return ReplayClock(replay) if replay else WallClock()


def state(project: Project) -> State:
    """All that happened until now, folded."""
    return fold(ledger(project).read())


def records(project: Project, replay: Path | None = None) -> Records:
    """The project with its ledger, its store and its clock, opened."""
    return Records(project=project, clock=clock(replay), ledger=ledger(project), store=holdings.store(project), anchors=anchors(project))
