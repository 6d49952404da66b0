"""A store on this machine as a whole: everything that lies in it, and removing what nothing needs."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from towpath.digest import Digest
from towpath.quantities import size_in_words
from towpath.store.packs import SUFFIX, Pack, PackWriter
from towpath.store.transfer import flush_one

ASIDE = "damaged"  # the folder of what was found damaged and taken out


class Collected(NamedTuple):
    """What a collection did, or with ``dry_run`` would do: objects and bytes, kept and removed, and ``torn`` files of cut-off writers."""

    dry_run: bool
    kept: int
    kept_size: int
    removed: int
    removed_size: int
    torn: int

    def __str__(self) -> str:
        would = "would be " if self.dry_run else ""
        torn = f"; {self.torn:,} torn files {would}removed" if self.torn else ""
        return (
            f"{self.removed:,} objects ({size_in_words(self.removed_size)}) {would}removed, "
            f"{self.kept:,} ({size_in_words(self.kept_size)}) kept{torn}"
        )


def objects(root: Path, packs: Iterable[Pack]) -> Iterator[tuple[Digest, int]]:
    """Every object with its size in bytes."""
    yield from ((digest, path.stat().st_size) for digest, path in singles(root))
    for pack in packs:
        yield from ((digest, size) for digest, _, size in pack.entries())


def singles(root: Path) -> Iterator[tuple[Digest, Path]]:
    """Objects that are a file each."""
    for folder in _files(root / "objects"):
        yield from ((Digest(folder.name + path.name), path) for path in _files(folder))


def collect(root: Path, packs: Iterable[Pack], live: Collection[Digest], *, dry_run: bool) -> Collected:
    """Remove from the store in ``root`` what is not ``live``; see `LocalStore.collect`."""
    kept, gone = _loose(root, live)
    torn = [path for folder in ("tmp", "packs", ASIDE) for path in _files(root / folder) if folder == ASIDE or path.suffix != SUFFIX]
    packed = [(pack, *_parted(pack, live)) for pack in packs]
    if not dry_run:
        for pack, stay, go in packed:
            if go:
                rewrite(pack, stay)
                pack.path.unlink()
        for path in (*(path for path, _ in gone), *torn):
            path.unlink()
    stays = [size for _, stay, _ in packed for _, _, size in stay]
    goes = [size for _, _, go in packed for _, _, size in go]
    return Collected(
        dry_run=dry_run,
        kept=len(kept) + len(stays),
        kept_size=sum(size for _, size in kept) + sum(stays),
        removed=len(gone) + len(goes),
        removed_size=sum(size for _, size in gone) + sum(goes),
        torn=len(torn),
    )


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


Sized = list[tuple[Path, int]]


def _loose(root: Path, live: Collection[Digest]) -> tuple[Sized, Sized]:
    kept: Sized = []
    gone: Sized = []
    for digest, path in singles(root):
        (kept if digest in live else gone).append((path, path.stat().st_size))
    return kept, gone


Entries = list[tuple[Digest, int, int]]


def _parted(pack: Pack, live: Collection[Digest]) -> tuple[Entries, Entries]:
    entries = list(pack.entries())
    return [entry for entry in entries if entry[0] in live], [entry for entry in entries if entry[0] not in live]


def rewrite(pack: Pack, stay: Entries) -> None:
    """Write what stays of a pack into a new one, which is there before the old one goes."""
    if stay:
        temporary = pack.path.with_name(f"{os.getpid()}-{os.urandom(8).hex()}")
        thinner = PackWriter(str(temporary))
        for digest, offset, size in stay:
            thinner.add(digest, pack.read(offset, size))
        thinner.close(whole=True)
        temporary.chmod(0o444)
        temporary.rename(temporary.with_suffix(SUFFIX))
        flush_one(pack.path.parent)
