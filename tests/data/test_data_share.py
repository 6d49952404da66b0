"""The listing of a snapshot comes from a team's remote in a few calls, however many nodes it has."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store.remotes import Watched

from towpath.data import manifest, merge, sides
from towpath.data.lock import Locked
from towpath.digest import of_bytes
from towpath.store import Store, trees
from towpath.store.local import LocalStore
from towpath.store.remote import Remote
from towpath.store.remote.memory import MemoryBucket
from towpath.store.team import TeamStore
from towpath.store.trees import FileEntry

FILES = 4000


def kept(store: Store, names: list[str]) -> Locked:
    return Locked(manifest.keep(store, "d", "files", [FileEntry(name, of_bytes(name.encode()), 1) for name in names])[1], -1)


def differing(store: Store, base: Locked, more: Locked) -> int:
    one, other = (sides.of_snapshot(side.digest, side.digest, store) for side in (base, more))
    return len(sides.changes(one, other))


def merged(store: Store, base: Locked, more: Locked) -> int:
    found = merge.merge(store, {}, {"d": base}, {"d": more}).locked["d"]
    return len(manifest.files_of(store, found.digest)) - FILES


@pytest.mark.parametrize("work", [differing, merged])
def test_a_level_comes_in_a_call(tmp_path: Path, work: Callable[[Store, Locked, Locked], int]) -> None:
    bucket, reads = MemoryBucket(), []
    one = TeamStore(LocalStore(tmp_path / "one"), Remote(bucket))
    names = [f"{number}" for number in range(FILES)]
    base, more = kept(one, names), kept(one, [*names, "x"])
    assert len(list(trees.nodes(one, manifest.manifest(one, base.digest).root))) > 50

    def count(number: int, verb: str, key: str) -> None:
        if key.startswith("packs") and verb != "put":
            reads.append(key)

    other = TeamStore(LocalStore(tmp_path / "other"), Remote(Watched(bucket, count), tmp_path / "remote"))
    assert work(other, base, more) == 1
    assert len(reads) < 12
