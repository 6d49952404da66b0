"""What a gc is to do: decided from what the remote has, what is live, and the time (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from towpath.digest import Digest
from towpath.quantities import size_in_words
from towpath.store.remote import keys
from towpath.store.remote.bucket import Stored
from towpath.store.remote.contents import Contents, Place, current
from towpath.store.remote.index import Index, Large, Name, Pack, digest_of, name_of

SPARSE = 0.5  # a pack with less than this share of live bytes is written anew
CRUMB = 4 << 20  # bytes: packs smaller than this are put together ...
CRUMBS = 32  # ... when there are so many of them, as each costs a reader one call; so are small indices


class Found(NamedTuple):
    """What lies in a bucket: indices (all that are listed, and which bytes they are), notes, packs."""

    indices: Mapping[Digest, Index]
    index_files: Mapping[Name, Stored]
    notes: Mapping[Name, Stored]
    packs: Mapping[Name, Stored]


class Collected(NamedTuple):
    """What a gc did, or with ``dry_run`` would do. Sizes in bytes."""

    dry_run: bool
    packs: int
    size: int
    live: int  # bytes of blobs that something needs
    deleted: int
    deleted_size: int
    condemned: int  # now; a gc deletes them after the grace time
    condemned_size: int
    waiting: int  # condemned by an earlier gc, their time not over
    waiting_size: int
    rewritten_size: int  # live bytes moved out of packs that are condemned

    def __str__(self) -> str:
        would, words = "would be " if self.dry_run else "", size_in_words
        return (
            f"{self.packs:,} packs of {words(self.size)}, of which {words(self.live)} are in use: "
            f"{self.deleted:,} {would}deleted ({words(self.deleted_size)}), "
            f"{self.condemned:,} {would}condemned ({words(self.condemned_size)}), {self.waiting:,} wait ({words(self.waiting_size)})"
            + (f"; {words(self.rewritten_size)} {would}moved to new packs" if self.rewritten_size else "")
        )


class Plan(NamedTuple):
    """The steps of a gc, in their order. Each can be cut off anywhere: the next gc goes on."""

    after: Contents  # what is there, with what is condemned now held for condemned
    rewrite: dict[Name, Place]
    condemn: list[Name]
    merged: tuple[list[Pack], list[Large], set[Name]] | None  # an index: its packs, large objects, and the indices that it replaces
    delete: list[Name]
    forget: list[str]  # keys of indices and notes that say nothing any more


def plan(found: Found, live: Iterable[Digest], now: datetime, grace: timedelta, erased: Iterable[Digest] = ()) -> Plan:
    """The steps that leave the ``live`` objects and what is younger than ``grace``.

    ``erased`` objects must go, however much of their packs is live: what no live object shares with them is not left lying.
    """
    indices = {digest: _with(index, found.packs) for digest, index in found.indices.items()}
    before = Contents(indices, found.notes)
    live = list(live)
    needed = before.used(live)
    used = _bytes_by_pack(needed)
    tainted = {place.pack for name, place in before.used(erased).items() if name not in needed}
    old = {name for name, pack in found.packs.items() if now - pack.at >= grace}
    free = old - found.notes.keys()
    condemn = sorted({name for name in free if not used[name]} | _sparse(free, found.packs, used) | (free & tainted))
    delete = sorted(name for name in found.packs.keys() & found.notes.keys() if not used[name] and now - found.notes[name].at >= grace)
    after = Contents(indices, found.notes.keys() | set(condemn))
    rewrite = {name: place for name, place in after.used(live).items() if place.pack in after.condemned}
    return Plan(after, rewrite, condemn, _merged(found, before, set(delete)), delete, _forget(found, now, grace))


def collected(found: Found, steps: Plan, live: Iterable[Digest], *, dry_run: bool) -> Collected:
    """The figures of a plan."""
    waiting = found.packs.keys() & found.notes.keys() - set(steps.delete)

    def size(names: Iterable[Name]) -> int:
        return sum(found.packs[name].size for name in names)

    return Collected(
        dry_run=dry_run,
        packs=len(found.packs),
        size=size(found.packs),
        live=sum(place.size for place in steps.after.used(live).values()),
        deleted=len(steps.delete),
        deleted_size=size(steps.delete),
        condemned=len(steps.condemn),
        condemned_size=size(steps.condemn),
        waiting=len(waiting),
        waiting_size=size(waiting),
        rewritten_size=sum(place.size for place in steps.rewrite.values()),
    )


def _bytes_by_pack(used: Mapping[Name, Place]) -> Counter[Name]:
    counts: Counter[Name] = Counter()
    for place in used.values():
        counts[place.pack] += max(place.size, 1)  # an empty object needs its pack too
    return counts


def _sparse(packs: Collection[Name], files: Mapping[Name, Stored], used: Mapping[Name, int]) -> set[Name]:
    crumbs = {name for name in packs if files[name].size < CRUMB and used[name]}
    sparse = {name for name in packs if 0 < used[name] < SPARSE * files[name].size}
    return sparse | (crumbs if len(crumbs) >= CRUMBS else set())


def _with(index: Index, packs: Collection[Name]) -> Index:
    """An index without packs that are not there."""
    return msgspec.structs.replace(index, packs=[pack for pack in index.packs if pack.name in packs])


def _merged(found: Found, contents: Contents, delete: set[Name]) -> tuple[list[Pack], list[Large], set[Name]] | None:
    """One index for those that name what is not there or will not be, and for the small ones if there are many."""
    there = found.packs.keys() - delete
    counting = current(found.indices)
    stale = {digest for digest, index in counting.items() if any(pack.name not in there for pack in index.packs)}
    small = {digest for digest in counting if found.index_files[name_of(digest)].size < CRUMB}
    merge = stale | (small if len(small) >= CRUMBS else set())
    if not merge:
        return None
    packs = {pack.name: pack for digest in merge for pack in counting[digest].packs if pack.name in there}
    large = {large.digest: large for digest in merge for large in counting[digest].large if _whole(large, contents, there)}
    superseded = {name_of(digest) for digest in merge | (found.indices.keys() - counting.keys())}
    return [packs[name] for name in sorted(packs)], [large[name] for name in sorted(large)], superseded


def _whole(large: Large, contents: Contents, there: Collection[Name]) -> bool:
    return all(chunk in contents.places and contents.places[chunk].pack in there for chunk in large.chunks)


def _forget(found: Found, now: datetime, grace: timedelta) -> list[str]:
    """Indices that one of some age replaces, and notes on packs that nothing names any more.

    A note stays twice as long as its pack: a gc that was asleep meanwhile must not delete the pack after a push made it again.
    """
    named = {pack.name for index in found.indices.values() for pack in index.packs}
    notes = [name for name, note in found.notes.items() if name not in found.packs and name not in named and now - note.at >= 2 * grace]
    replaced = {
        name
        for digest, index in found.indices.items()
        if now - found.index_files[name_of(digest)].at >= grace
        for name in index.replaces
        if name in found.index_files
    }
    return [keys.of_note(name) for name in sorted(notes)] + [keys.of_index(digest_of(name)) for name in sorted(replaced)]
