"""What a version was made from: its code, data, parameters, and the moment that decided which labels were due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from towpath import events as ev
from towpath.data.exclusion import Exclusion
from towpath.data.exclusions import Exclusions
from towpath.data.exclusions import apply as excluded_after
from towpath.data.manifest import files_of
from towpath.digest import Digest
from towpath.errors import Refused, TowpathError, UsageError
from towpath.ledger import Record
from towpath.pipeline.runs import Run
from towpath.pipeline.worktree import Tree
from towpath.registry import Version
from towpath.state import State
from towpath.store import Store


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """``parameters`` are all that training used. ``seed`` stands above the project's own where it is given."""

    tree: Tree
    snapshots: Mapping[str, Digest]
    exclusions: Mapping[str, tuple[Exclusion, ...]]
    labels_by: datetime
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None


def of_version(version: Version, state: State, records: Iterable[Record], store: Store) -> Ingredients:
    """What a version was made from. Raises UsageError where the store does not have its uncommitted changes."""
    run = state.runs.all[version.candidate.run]
    if run.patch and not store.has(run.patch):
        raise _missing(version.number, f"the uncommitted changes that it was made with ({run.patch[:8]})")
    return Ingredients(
        tree=Tree(run.commit, store.get(run.patch) if run.patch else b""),
        snapshots={name: taken.digest for name, taken in run.snapshots.items()},
        exclusions=_excluded(run, records),
        labels_by=run.labels_by or run.started,
        parameters=run.parameters,
    )


def check(version: Version, state: State, store: Store) -> None:
    """See that the data of a version can still be had.

    Raises:
        Refused: rows that it was made from were erased since.
        UsageError: the store does not have all of it.
    """
    number, run = version.number, state.runs.all[version.candidate.run]
    for name, taken in run.snapshots.items():
        try:
            files = files_of(store, taken.digest) if store.has(taken.digest) else None
        except TowpathError:
            files = None
        if files is None:
            raise _missing(number, f"the snapshot of {name} that it was made from ({taken.digest[:8]})")
        digests = [file.digest for file in files]
        if any(map(state.erasures.is_gone, digests)):
            raise Refused(
                f"version {number} cannot be made again: rows of {name} that it was trained on were erased since",
                mend="train a version without them: `towpath run`; `towpath history` tells who erased them, and why",
            )
        if gone := store.missing(digests):
            raise _missing(number, f"{len(gone):,} of the {len(files):,} files of {name} that it was made from")


def _missing(number: int, what: str) -> UsageError:
    return UsageError(f"version {number} cannot be made again: the store of this machine does not have {what}", mend="towpath data pull")


def _excluded(run: Run, records: Iterable[Record]) -> dict[str, tuple[Exclusion, ...]]:
    """The exclusions that held when the run's data were taken."""
    held: dict[str, tuple[Exclusion, ...]] = {}
    so_far = Exclusions()
    for record in records:
        so_far = excluded_after(so_far, record.entry)
        event = record.entry.event
        if isinstance(event, ev.SnapshotTaken) and event.run == run.number:
            held[event.dataset] = so_far.of(event.dataset)
    return held
