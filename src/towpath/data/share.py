"""Snapshots on their way to a remote and back: which objects they consist of, and fetching them level by level."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from towpath.data import manifest
from towpath.data.stand_ins import standing_in
from towpath.digest import Digest
from towpath.store import Brings, Store, trees

_NOTHING: Mapping[str, str] = MappingProxyType({})
Fetch = Callable[[list[Digest]], object]


def objects(store: Store, snapshot: Digest, erased: Mapping[str, str] = _NOTHING) -> Iterator[tuple[Digest, int]]:
    """Every object of the snapshot whose manifest is stored under this digest, with its size; what is named comes before what names it.

    Of an erased file it is what stands in for it.
    """
    found = manifest.manifest(store, snapshot)
    yield from ((file.digest, file.size) for file in standing_in(trees.files(store, found.root), erased))
    nodes = list(trees.nodes(store, found.root))
    yield from ((node, store.size(node)) for node in (*reversed(nodes), snapshot))


def fetch_listing(store: Store, snapshots: Iterable[Digest], fetch: Fetch) -> None:
    """Bring manifests and trees, but not the files: a few calls, one a level of the tree."""

    def bring(digests: list[Digest]) -> None:
        absent = [digest for digest in dict.fromkeys(digests) if not store.has(digest)]
        if absent:
            fetch(absent)

    _by_level(store, list(snapshots), bring)


def bring_listing(store: Store, snapshots: Iterable[Digest]) -> None:
    """The same for a store that fetches by itself whatever is asked of it: one object at a time, if nobody asked for all before."""
    if isinstance(store, Brings):
        _by_level(store, list(snapshots), store.bring)


def _by_level(store: Store, snapshots: list[Digest], bring: Fetch) -> None:
    bring(snapshots)
    level = [manifest.manifest(store, snapshot).root for snapshot in snapshots]
    while level:
        bring(level)
        level = [child for node in level for child in trees.children(store, node)]


def missing(store: Store, snapshot: Digest, erased: Mapping[str, str] = _NOTHING) -> list[Digest]:
    """The files of a snapshot that are not in the store, each once; of an erased one, what stands in for it. Its listing must be there."""
    files = standing_in(manifest.files_of(store, snapshot), erased)
    return [digest for digest in dict.fromkeys(file.digest for file in files) if not store.has(digest)]
