"""What a project holds: its store on this machine and with its team, and what is known of its files without reading them.

Apart from :mod:`towpath.kept`, because versions of data need no ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from towpath import stores
from towpath.data.index import Index
from towpath.data.settled import Settled
from towpath.errors import UsageError
from towpath.project import Project
from towpath.store import Store
from towpath.store.local import LocalStore

if TYPE_CHECKING:  # what a remote needs is loaded only where there is one
    from towpath.store.remote import Remote
    from towpath.store.shared import Shared


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
