"""Two branches that both changed a dataset: their files together, where they do not contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from towpath.data import manifest, share
from towpath.data.lock import Locked
from towpath.digest import Digest
from towpath.errors import TowpathError, UsageError
from towpath.store import Store
from towpath.store.trees import FileEntry


class Merged(NamedTuple):
    """What a merge of locks gave. Not merged are, by dataset, ``contradictions``: files that both sides changed, each in its own way;
    and ``faults``: why the files of a side cannot be known."""

    locked: dict[str, Locked]
    contradictions: dict[str, list[str]]
    faults: dict[str, TowpathError]


def merge(store: Store, base: Mapping[str, Locked], ours: Mapping[str, Locked], theirs: Mapping[str, Locked]) -> Merged:
    """Merge two locks that come from one; where both sides changed a dataset, its files are merged one by one.

    A dataset that cannot be merged stays as it is on our side.
    """
    locked: dict[str, Locked] = {}
    contradictions: dict[str, list[str]] = {}
    faults: dict[str, TowpathError] = {}
    for name in sorted(ours.keys() | theirs.keys()):
        one, other, before = ours.get(name), theirs.get(name), base.get(name)
        if one == other or other == before:
            chosen = one
        elif one == before:
            chosen = other
        elif one is None or other is None:
            chosen, contradictions[name] = one or other, [f"{name} was removed on one side and changed on the other"]
        else:
            chosen = one
            try:
                chosen, wrong = _files(store, name, before, one, other)
            except TowpathError as fault:  # Git is to have a merged file whatever happens, or it takes our side for one
                faults[name] = fault
            else:
                contradictions |= {name: wrong} if wrong else {}
        if chosen:
            locked[name] = chosen
    return Merged(locked, contradictions, faults)


def _files(store: Store, name: str, before: Locked | None, one: Locked, other: Locked) -> tuple[Locked, list[str]]:
    _bring(store, name, [side.digest for side in (before, one, other) if side])
    base, ours, theirs = ({} if side is None else _by_path(store, side) for side in (before, one, other))
    merged: list[FileEntry] = []
    wrong: list[str] = []
    for path in ours.keys() | theirs.keys():
        mine, its, was = (_bytes(side.get(path)) for side in (ours, theirs, base))
        if mine != its and was not in (mine, its):
            wrong.append(path)
        kept = ours.get(path) if its in (was, mine) else theirs.get(path)
        if kept:
            merged.append(kept)
    if wrong:
        return one, sorted(wrong)
    snapshot, digest = manifest.keep(store, name, manifest.manifest(store, one.digest).kind, merged)
    return Locked(digest, snapshot.rows), []


def _bring(store: Store, name: str, snapshots: list[Digest]) -> None:
    absent = [digest for digest in snapshots if not store.has(digest)]
    if absent:
        raise UsageError(
            f"snapshot {absent[0][:8]} of {name} is neither on this machine nor in a remote",
            mend="`git merge --abort`, have it sent from where it was added (`towpath data push`), then merge again",
        )
    share.bring_listing(store, snapshots)


def _by_path(store: Store, side: Locked) -> dict[str, FileEntry]:
    return {file.path: file for file in manifest.files_of(store, side.digest)}


def _bytes(file: FileEntry | None) -> str:
    return file.digest if file else ""
