"""Two branches that both changed a dataset: their files together, where they do not contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from towpath.data import manifest
from towpath.data.lock import Locked
from towpath.store import Store
from towpath.store.trees import FileEntry


class Merged(NamedTuple):
    """What a merge of locks gave; ``contradictions``: files that both sides changed, each in its own way, by dataset."""

    locked: dict[str, Locked]
    contradictions: dict[str, list[str]]


def merge(store: Store, base: Mapping[str, Locked], ours: Mapping[str, Locked], theirs: Mapping[str, Locked]) -> Merged:
    """Merge two locks that come from one; where both sides changed a dataset, its files are merged one by one.

    A dataset with contradictions stays as it is on our side.
    """
    locked, contradictions = {}, {}
    for name in sorted(ours.keys() | theirs.keys()):
        one, other, before = ours.get(name), theirs.get(name), base.get(name)
        if one == other or other == before:
            chosen = one
        elif one == before:
            chosen = other
        elif one is None or other is None:
            chosen, contradictions[name] = one or other, [f"{name} was removed on one side and changed on the other"]
        else:
            chosen, wrong = _files(store, name, before, one, other)
            if wrong:
                contradictions[name] = wrong
        if chosen:
            locked[name] = chosen
    return Merged(locked, contradictions)


def _files(store: Store, name: str, before: Locked | None, one: Locked, other: Locked) -> tuple[Locked, list[str]]:
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


def _by_path(store: Store, side: Locked) -> dict[str, FileEntry]:
    return {file.path: file for file in manifest.files_of(store, side.digest)}


def _bytes(file: FileEntry | None) -> str:
    return file.digest if file else ""
