"""Where a project keeps its bytes: the choice of store and remote.

Apart from :mod:`towpath.kept`, for a worker of a run needs no more than this.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from towpath.store import Store
from towpath.store.local import LocalStore

if TYPE_CHECKING:  # what a remote needs is loaded only where there is one
    from towpath.store.remote import Bucket, Remote
    from towpath.store.shared import Shared

PATIENCE_S = 20.0  # how long a run waits for a team whose work would only save it time


def here(home: Path) -> LocalStore:
    """The part of a project's store that lies on this machine."""
    return LocalStore(home / "store")


def store(root: Path, home: Path, place: str | None) -> Store:
    """The store of a project: in ``home`` on this machine, and shared where there is a remote at ``place``, relative to ``root``."""
    if place is None:
        return LocalStore(home / "store")
    shared: Store = import_module("towpath.store.team").TeamStore(LocalStore(home / "store"), remote(root, home, place))
    return shared


def near(root: Path, home: Path, place: str | None) -> Store:
    """The same for whoever executes steps: nothing is sent, and what is shared is only asked for what is not here."""
    if place is None:
        return LocalStore(home / "store")
    found: Store = import_module("towpath.store.team").NearStore(LocalStore(home / "store"), remote(root, home, place))
    return found


def shared(root: Path, home: Path, place: str, tell: Callable[[str], None]) -> Shared:
    """The executions that a team shares; ``tell`` is told when it cannot be asked."""
    team = remote(root, home, place, patience_s=PATIENCE_S)
    found: Shared = import_module("towpath.store.shared").Shared(LocalStore(home / "store"), team, home / "remote" / "unsent", tell)
    return found


def remote(root: Path, home: Path, place: str, **limits: float) -> Remote:
    """Where a team keeps what it shares."""
    found: Remote = import_module("towpath.store.remote").Remote(bucket(place, root, **limits), home / "remote")
    return found


def bucket(place: str, root: Path, **limits: float) -> Bucket:
    """A bucket by its URL, or a folder by its path."""
    bucket: Bucket
    if "://" in place and not place.startswith("file://"):
        bucket = import_module("towpath.store.remote.cloud").CloudBucket(place, **limits)
        return bucket
    folder = root / Path(place.removeprefix("file://")).expanduser()
    bucket = import_module("towpath.store.remote.folder").FolderBucket(folder, is_mounted=True)
    return bucket
