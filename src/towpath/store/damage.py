"""What lies in a store on this machine and is not what was written: found by reading everything, and set aside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from towpath.digest import Digest, of_bytes, of_file
from towpath.errors import Broken
from towpath.store.packs import SUFFIX, Pack
from towpath.store.port import MEND, corrupt
from towpath.store.whole import ASIDE, rewrite, singles


class Damage(NamedTuple):
    """An object in the file ``path`` that has other bytes; without a ``digest`` the file itself, which is no whole pack."""

    path: Path
    digest: Digest | None
    fault: Broken


def damages(root: Path, packs: Iterable[Pack], broken: Mapping[Path, Broken], tell: Callable[[int], None]) -> Iterator[Damage]:
    """Read every object. ``tell`` gets the size of each."""
    yield from (Damage(path, None, fault) for path, fault in broken.items())
    for digest, path in singles(root):
        if (found := of_file(path)) != digest:
            yield Damage(path, digest, corrupt(digest, found, str(path)))
        tell(path.stat().st_size)
    for pack in packs:
        yield from _in_pack(pack, tell)


def _in_pack(pack: Pack, tell: Callable[[int], None]) -> Iterator[Damage]:
    for digest, offset, size in pack.entries():
        if (found := of_bytes(pack.read(offset, size))) != digest:
            yield Damage(pack.path, digest, corrupt(digest, found, f"{pack.path} at {offset:,}"))
        tell(size)
    if sum(size for _, _, size in pack.entries()) != pack.size:
        yield Damage(pack.path, None, Broken(f"{pack.path} has bytes that its index does not name", mend=MEND))


def set_aside(root: Path, found: Iterable[Damage]) -> None:
    """Move what is damaged out of the store's sight. What is whole in a damaged pack is in a new one before."""
    by_path = defaultdict[Path, set[Digest | None]](set)
    for one in found:
        by_path[one.path].add(one.digest)
    for path, digests in by_path.items():
        packed = path.suffix == SUFFIX
        if packed:
            with suppress(Broken):
                pack = Pack(path)
                rewrite(pack, [entry for entry in pack.entries() if entry[0] not in digests])
        (root / ASIDE).mkdir(exist_ok=True)
        path.rename(root / ASIDE / (path.name if packed else path.parent.name + path.name))
