"""Whether a remote still has what its indices say."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from towpath.errors import Broken
from towpath.quantities import size_in_words
from towpath.store.remote import keys
from towpath.store.remote.bucket import Bucket
from towpath.store.remote.catalogue import Catalogue
from towpath.store.remote.contents import Contents
from towpath.store.remote.index import digest_of
from towpath.store.remote.parallel import in_parallel
from towpath.store.remote.plan import Found
from towpath.store.remote.progress import Meter, Tell, silent
from towpath.store.remote.spans import Gone, Span, read, spans

READERS = 8


class Verified(NamedTuple):
    """``faults`` are sentences, each naming an object or a pack and its place; empty where all is well."""

    packs: int
    blobs: int
    size: int
    read: int  # bytes that were read and checked
    faults: tuple[str, ...]

    def __str__(self) -> str:
        checked = f"{size_in_words(self.read)} read" if self.read else "sizes looked at, bytes not read"
        total = f"{self.packs:,} packs with {self.blobs:,} blobs, {size_in_words(self.size)}; {checked}; "
        return total + ("no fault" if not self.faults else f"{len(self.faults)} faults:\n" + "\n".join(self.faults))


def verify(catalogue: Catalogue, *, deep: bool = True, tell: Tell = silent) -> Verified:
    """Look at every pack that an index names; ``deep``: and read all blobs.

    Raises:
        Broken: an index itself is not what was written.
    """
    found, contents = catalogue.found(), catalogue.contents()
    faults, meter = _packs(catalogue.bucket, found, contents), Meter(tell)
    if deep:
        there = {name: place for name, place in contents.places.items() if place.pack in found.packs}
        meter.total = sum(place.size for place in there.values())
        for span, fault in in_parallel(partial(_read, catalogue.bucket), spans(there), READERS):
            meter.add(done=sum(place.size for _, place in span.blobs), sent=span.end - span.start)
            faults += [fault] if fault else []
    size = sum(pack.size for pack in found.packs.values())
    return Verified(len(found.packs), len(contents.places), size, meter.sent, (*faults, *_large(contents)))


def _packs(bucket: Bucket, found: Found, contents: Contents) -> list[str]:
    faults = []
    for index in contents.indices.values():
        for pack in index.packs:
            place, file = f"{bucket.place}/{keys.of_pack(pack.name)}", found.packs.get(pack.name)
            if file is None:
                faults.append(f"{place} is not there")
            elif file.size != pack.size:
                faults.append(f"{place} has {file.size} bytes and not {pack.size}")
    return faults


def _large(contents: Contents) -> list[str]:
    return [
        f"object {digest_of(name)} lacks {lacking} of its {len(chunks)} chunks"
        for name, chunks in contents.large.items()
        if (lacking := sum(chunk not in contents.places for chunk in chunks))
    ]


def _read(bucket: Bucket, span: Span) -> tuple[Span, str]:
    """One fault is told of a span: what is behind it is looked at when that is mended."""
    try:
        for _ in read(bucket, span):
            pass
    except Broken as fault:
        return span, fault.what
    except Gone as fault:
        return span, f"{bucket.place}/{keys.of_pack(fault.pack)} vanished while it was read"
    return span, ""
