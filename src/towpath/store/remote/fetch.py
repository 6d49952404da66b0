"""Bringing objects from a remote into a store."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from towpath.digest import Digest
from towpath.errors import Broken, UnknownName
from towpath.store.port import Store
from towpath.store.remote import keys
from towpath.store.remote.assembly import Assembly, local_chunks
from towpath.store.remote.bucket import Bucket
from towpath.store.remote.catalogue import Catalogue
from towpath.store.remote.contents import Contents
from towpath.store.remote.index import name_of
from towpath.store.remote.parallel import in_parallel
from towpath.store.remote.progress import Meter, Moved, Tell, silent
from towpath.store.remote.spans import Gone, Span, read, spans

READERS = 8
ASSEMBLERS = 2  # large objects at a time, each with readers of its own
ROUNDS = 3  # each but the first because a gc rewrote a pack meanwhile


def fetch(catalogue: Catalogue, digests: Iterable[Digest], into: Store, scratch: Path, tell: Tell = silent) -> Moved:
    """Bring objects into a store, durably. What it has, or a cut-off fetch left in the folder ``scratch``, is not read again.

    Of a large object only those chunks are read that no large object of the store holds already.

    Raises:
        UnknownName: the remote has not got all of them; nothing was fetched.
        Broken: the remote gave other bytes than were pushed; those were not kept.
        Unavailable, UsageError: as every call of a bucket, or of the store.
    """
    wanted, meter = list(dict.fromkeys(digests)), Meter(tell)
    moved: dict[Digest, int] = {}
    gone = b""
    for _ in range(ROUNDS):
        absent = [digest for digest in wanted if not into.has(digest)]
        contents = catalogue.contents()
        sizes = _sizes(catalogue.bucket, contents, absent)
        moved |= sizes
        meter.total = sum(moved.values())
        try:
            _fetch(catalogue.bucket, contents, absent, into, scratch, meter)
        except Gone as fault:
            gone = fault.pack
            continue
        into.sync()
        return Moved(len(moved), sum(moved.values()), meter.sent, meter.seconds)
    raise Broken(
        f"{catalogue.bucket.place}/{keys.of_pack(gone)} is not there, though an index names it",
        mend="put it back from a copy, or run `towpath data gc --remote`, then `towpath data push` where the data still are",
    )


def _sizes(bucket: Bucket, contents: Contents, digests: list[Digest]) -> dict[Digest, int]:
    if absent := [digest for digest in digests if not contents.has(digest)]:
        fault = UnknownName("object in the remote", absent[0], ())
        fault.what = f"{len(absent)} of {len(digests)} objects are not in {bucket.place}: {', '.join(absent[:3])}"
        fault.mend = "run `towpath data push --all` where they were added, which sends what every commit names; then try again"
        raise fault
    return {digest: contents.size(digest) for digest in digests}


def _fetch(bucket: Bucket, contents: Contents, digests: list[Digest], into: Store, scratch: Path, meter: Meter) -> None:
    blobs = {digest: contents.blobs(digest) for digest in digests}
    large = {digest: chunks for digest, chunks in blobs.items() if chunks != [name_of(digest)]}
    places = contents.used(digest for digest in digests if digest not in large)
    for span in in_parallel(partial(_keep, bucket, into), spans(places), READERS):
        meter.add(done=sum(place.size for _, place in span.blobs), sent=span.end - span.start)
    here = local_chunks(contents, into, {chunk for chunks in large.values() for chunk in chunks})
    assembly = Assembly(bucket, contents, into, scratch, here, meter)
    for _ in in_parallel(assembly.build, large, ASSEMBLERS):
        pass


def _keep(bucket: Bucket, into: Store, span: Span) -> Span:
    for _, blob in read(bucket, span):
        into.put(bytes(blob))
    return span
