"""Which datasets a command is about, and which files towpath.lock names for them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from towpath.data import share
from towpath.data.lock import LOCK, Locked
from towpath.data.manifest import files_of
from towpath.data.stand_ins import standing_in
from towpath.errors import Unavailable, UnknownName, UsageError
from towpath.project import Project
from towpath.store import Store
from towpath.store.trees import FileEntry

if TYPE_CHECKING:  # most commands about data ask no ledger
    from towpath.state import State

Names = Annotated[list[str] | None, typer.Argument(metavar="[DATASET]...", help="as `data` in towpath.yaml calls them; all, when left out")]
NEVER_ADDED = f"{LOCK} does not have it: `towpath data add` writes it there"


def chosen(project: Project, names: list[str] | None, known: list[str] | None = None) -> list[str]:
    """The datasets that were named, or all that are ``known``. Raises UnknownName, or UsageError for one that was never added."""
    there = list(project.data) if known is None else known
    for name in names or ():
        if name not in there and name in project.data:
            raise UsageError(f"{name}: {NEVER_ADDED}", mend=f"towpath data add {name}")
        if name not in there:
            raise UnknownName("dataset", name, there)
    return names or there


def files_locked(project: Project, store: Store, name: str, locked: Locked) -> list[FileEntry]:
    """The files of a snapshot; of what was erased, what stands in for it."""
    if not store.has(locked.digest):
        raise UsageError(f"snapshot {locked.digest[:8]} of {name} is not in the store of this machine", mend=f"towpath data pull {name}")
    share.bring_listing(store, [locked.digest])
    return standing_in(files_of(store, locked.digest), erased(project))


def erased(project: Project) -> dict[str, str]:
    """What stands in for erased objects; nothing while a team's ledger cannot be reached: one works on alone."""
    try:
        state: State = import_module("towpath.kept").state(project)
    except Unavailable:
        return {}
    return state.erasures.objects
