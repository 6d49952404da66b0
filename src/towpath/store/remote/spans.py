"""Reading blobs out of packs: those that lie near each other in one call, each checked against its digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from blake3 import blake3

from towpath.errors import Broken
from towpath.store.remote import keys
from towpath.store.remote.bucket import Bucket
from towpath.store.remote.contents import Place
from towpath.store.remote.index import Name, digest_of

SPAN = 8 << 20  # bytes of one call: so much of memory for each that is under way
GAP = 128 << 10  # bytes that are cheaper read in vain than skipped by one more call


class Span(NamedTuple):
    """A part of a pack, and the blobs in it that are wanted."""

    pack: Name
    start: int
    end: int
    blobs: list[tuple[Name, Place]]


class Gone(Exception):
    """A pack that was there when the indices were read is not there any more: a gc rewrote it, or somebody deleted it."""

    def __init__(self, pack: Name) -> None:
        self.pack = pack


def spans(places: Mapping[Name, Place]) -> Iterator[Span]:
    """The calls that read these blobs.

    >>> near = {b"a": Place(b"P", 0, 10), b"b": Place(b"P", 20, 10), b"c": Place(b"Q", 0, 5)}
    >>> [(span.pack, span.start, span.end) for span in spans(near)]
    [(b'P', 0, 30), (b'Q', 0, 5)]
    """
    span: Span | None = None
    for name, place in sorted(places.items(), key=lambda item: item[1]):
        end = place.start + place.size
        if span and span.pack == place.pack and place.start - span.end <= GAP and end - span.start <= SPAN:
            span.blobs.append((name, place))
            span = span._replace(end=max(end, span.end))
            continue
        if span:
            yield span
        span = Span(place.pack, place.start, end, [(name, place)])
    if span:
        yield span


def read(bucket: Bucket, span: Span) -> Iterator[tuple[Name, memoryview]]:
    """The wanted blobs of a span, checked.

    Raises:
        Gone: the pack is not there.
        Broken: bytes are not what was pushed; says which object and where it lies.
    """
    key = keys.of_pack(span.pack)
    data = bucket.get(key, span.start, span.end) if span.end > span.start else b""
    if data is None:
        raise Gone(span.pack)
    for name, place in span.blobs:
        blob = memoryview(data)[place.start - span.start :][: place.size]
        if (found := blake3(blob).digest()) != name:
            raise Broken(
                f"object {digest_of(name)} in {bucket.place}/{key} (bytes {place.start} to {place.start + place.size}) is corrupt: "
                f"its {len(blob)} bytes give {digest_of(found)}; nothing of it was kept",
                mend="try again; if it stays, delete that pack, run `towpath data gc --remote`, then push where the data still are",
            )
        yield name, blob
