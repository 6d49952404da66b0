"""Having a value on this machine: for a container, which sees the local part of a team's store and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from towpath.data import share
from towpath.digest import Digest
from towpath.pipeline.values import Snapshot, Value
from towpath.store import Brings, Store, trees


def bring(value: Value, store: Store) -> None:
    """Fetch all that a value consists of, where something of it is elsewhere.

    Raises:
        UnknownName, Broken, Unavailable: as ``Store.get``.
    """
    if isinstance(store, Brings):
        store.bring([value.output])
        store.bring(list(_parts(value, store)))


def _parts(value: Value, store: Store) -> Iterator[Digest]:
    """What the object of a value names; nodes of trees are fetched on the way."""
    match value.codec:
        case "snapshot":
            shot = msgspec.json.decode(store.get(value.output), type=Snapshot)
            share.bring_listing(store, [shot.manifest])
            yield from (digest for digest, _ in share.objects(store, shot.manifest))
        case "files":
            yield from (file.digest for file in trees.files(store, value.output))
