"""Where a project keeps its facts and its bytes, and by which clock: the choice of ledger, store and clock.

Apart from :mod:`towpath.wiring`, because asking what happened needs no more than this, and nothing here is slow to import.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from towpath.clock import Clock, ReplayClock, WallClock
from towpath.data.index import Index
from towpath.digest import of_bytes
from towpath.errors import Unavailable
from towpath.ledger import Ledger
from towpath.ledger.anchors import Anchors
from towpath.ledger.remembered import Remembered
from towpath.ledger.sqlite import SqliteLedger
from towpath.project import Project
from towpath.state import State, fold
from towpath.store.local import LocalStore
from towpath.store.remote.bucket import Bucket


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
        bucket = _bucket(place, project.root)
        known = project.home / f"ledger-{of_bytes(bucket.place.encode())[:16]}.jsonl"
        shared = import_module("towpath.ledger.objects").ObjectLedger(bucket, remembered=None if afresh else Remembered(known))
    return shared


def _bucket(place: str, root: Path) -> Bucket:
    """A bucket by its URL, or a folder by its path. A folder must be there: a share that is not mounted is not to be begun anew."""
    bucket: Bucket
    if "://" in place and not place.startswith("file://"):
        bucket = import_module("towpath.store.remote.cloud").CloudBucket(place, patience_s=30, whole_call_s=30)  # its objects are small
        return bucket
    folder = root / Path(place.removeprefix("file://")).expanduser()
    if not folder.is_dir():
        raise Unavailable(f"there is no folder {folder}", mend="mount the share, or make the folder once by hand: `mkdir`")
    bucket = import_module("towpath.store.remote.folder").FolderBucket(folder)
    return bucket


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
