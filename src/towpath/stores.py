"""Where a project keeps its bytes: the choice of store and remote.

Apart from :mod:`towpath.kept`, for a worker of a run needs no more than this.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from towpath.errors import Unavailable
from towpath.store import Store
from towpath.store.local import LocalStore

if TYPE_CHECKING:  # what a remote needs is loaded only where there is one
    from towpath.store.remote import Bucket, Remote


def store(root: Path, home: Path, place: str | None) -> Store:
    """The store of a project: in ``home`` on this machine, and shared where there is a remote at ``place``, relative to ``root``."""
    if place is None:
        return LocalStore(home / "store")
    shared: Store = import_module("towpath.store.team").TeamStore(LocalStore(home / "store"), remote(root, home, place))
    return shared


def remote(root: Path, home: Path, place: str) -> Remote:
    """Where a team keeps what it shares."""
    found: Remote = import_module("towpath.store.remote").Remote(bucket(place, root), home / "remote")
    return found


def bucket(place: str, root: Path, **limits: float) -> Bucket:
    """A bucket by its URL, or a folder by its path. A folder must be there: a share that is not mounted is not to be begun anew."""
    bucket: Bucket
    if "://" in place and not place.startswith("file://"):
        bucket = import_module("towpath.store.remote.cloud").CloudBucket(place, **limits)
        return bucket
    folder = root / Path(place.removeprefix("file://")).expanduser()
    if not folder.is_dir():
        raise Unavailable(f"there is no folder {folder}", mend="mount the share, or make the folder once by hand: `mkdir`")
    bucket = import_module("towpath.store.remote.folder").FolderBucket(folder)
    return bucket
