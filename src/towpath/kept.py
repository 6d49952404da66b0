"""Where a project keeps its facts and its bytes, and by which clock: the choice of ledger, store and clock.

Apart from :mod:`towpath.wiring`, because asking what happened needs no more than this, and nothing here is slow to import.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from towpath import stores
from towpath.clock import Clock, ReplayClock, WallClock
from towpath.data.index import Index
from towpath.data.settled import Settled
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
from towpath.store import Store
from towpath.store.local import LocalStore

if TYPE_CHECKING:  # what a remote needs is loaded only where there is one
    from towpath.store.remote import Remote
    from towpath.store.shared import Shared

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


def store(project: Project) -> Store:
    """The project's store: on this machine, and shared where there is a ``remote``."""
    return stores.store(project.root, project.home, project.remote)


def near(project: Project) -> Store:
    """The same for steps: what is put stays on this machine."""
    return stores.near(project.root, project.home, project.remote)


def shared(project: Project, tell: Callable[[str], None]) -> Shared | None:
    """The executions that a team shares; None where there is no team."""
    return stores.shared(project.root, project.home, project.remote, tell) if project.remote else None


def store_here(project: Project) -> LocalStore:
    """The part of the project's store that lies on this machine."""
    return LocalStore(project.home / "store")


def remote(project: Project) -> Remote:
    """Where a team keeps what it shares. Raises UsageError where the project names no place for it."""
    if project.remote is None:
        raise UsageError("the project has no remote", mend="name a bucket or a folder in towpath.yaml: `remote: s3://bucket/prefix`")
    return stores.remote(project.root, project.home, project.remote)


def index(project: Project) -> Index:
    """What is known of the project's data files without reading them."""
    return Index(project.home / "index.msgpack")


def settled(project: Project) -> Settled:
    """Which datasets were found to be as a snapshot says."""
    return Settled(project.home / "settled.json")


def clock(replay: Path | None = None) -> Clock:
    """The project's clock: the world's, or the replayer's."""
    return ReplayClock(replay) if replay else WallClock()


def state(project: Project) -> State:
    """All that happened until now, folded."""
    return fold(ledger(project).read())


def records(project: Project, replay: Path | None = None) -> Records:
    """The project with its ledger, its store and its clock, opened."""
    return Records(project=project, clock=clock(replay), ledger=ledger(project), store=store(project), anchors=anchors(project))
