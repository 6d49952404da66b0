"""The manifest of a snapshot: one immutable version of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec

from towpath.digest import Digest, canonical_json
from towpath.errors import Broken
from towpath.store import Store, trees
from towpath.store.trees import FileEntry

_NOWHERE: Mapping[str, str | int] = MappingProxyType({})


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a manifest says. It has no times, so the same files give the same manifest, and the same digest.

    ``root`` is that of the tree of its files (:mod:`towpath.store.trees`), ``files`` how many they are, ``size`` their bytes. ``rows`` is
    -1 for a dataset of ``kind`` files, and where a file of a table cannot be read. ``source`` says where the files came from, where
    that is not the project: the version of a Delta table, a query, a commit.
    """

    form: int = 2
    dataset: str
    kind: Literal["table", "files"]
    root: Digest
    files: int
    size: int
    rows: int
    source: dict[str, str | int] = {}


def keep(
    store: Store, dataset: str, kind: Literal["table", "files"], entries: Sequence[FileEntry], source: Mapping[str, str | int] = _NOWHERE
) -> tuple[Snapshot, Digest]:
    """Make the snapshot of files that the store has. What they consist of is durable before the manifest that names it."""
    snapshot = Snapshot(
        dataset=dataset,
        kind=kind,
        root=trees.write(store, entries),
        files=len(entries),
        size=sum(entry.size for entry in entries),
        rows=_rows(entries),
        source=dict(source),
    )
    store.sync()
    digest = store.put(canonical_json(snapshot))
    store.sync()
    return snapshot, digest


def _rows(entries: Iterable[FileEntry]) -> int:
    rows = [entry.rows for entry in entries]
    return -1 if min(rows, default=-1) < 0 else sum(rows)


def manifest(store: Store, digest: Digest) -> Snapshot:
    """The snapshot whose manifest is stored under ``digest``."""
    try:
        return msgspec.json.decode(store.get(digest), type=Snapshot)
    except msgspec.DecodeError as fault:
        raise Broken(f"object {digest} is no snapshot: {fault}", mend="give the digest of a snapshot's manifest") from None


def files_of(store: Store, digest: Digest) -> tuple[FileEntry, ...]:
    """The files of the snapshot whose manifest is stored under ``digest``."""
    return tuple(trees.files(store, manifest(store, digest).root))
