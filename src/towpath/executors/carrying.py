"""Values on their way to a remote, where other machines find them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from towpath import stores
from towpath.data import share
from towpath.digest import Digest
from towpath.pipeline.values import Snapshot, Value
from towpath.store import Store
from towpath.store.shared import parts


class Carrier:
    """Sends values of the store in ``home`` to the remote at ``place``, each object once."""

    def __init__(self, root: Path, home: Path, place: str) -> None:
        self._here, self._near = stores.here(home), stores.near(root, home, place)
        self._remote = stores.remote(root, home, place)
        self._sent: set[Digest] = set()

    def send(self, values: Iterable[Value]) -> None:
        """After it they are there. What is not in the store came from the remote. Raises as ``Remote.push``."""
        objects = dict.fromkeys(digest for value in values for digest in _objects(self._near, value) if digest not in self._sent)
        new = {digest: self._here.size(digest) for digest in objects if self._here.has(digest)}
        if new:
            self._remote.push(self._here, new.items())
            self._sent.update(new)


def _objects(store: Store, value: Value) -> Iterator[Digest]:
    if value.codec == "snapshot":
        shot = msgspec.json.decode(store.get(value.output), type=Snapshot)
        yield from (digest for digest, _ in share.objects(store, shot.manifest))
    yield from parts(store, value.codec, value.output)
