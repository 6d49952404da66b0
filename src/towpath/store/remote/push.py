"""Sending what a remote has not got yet."""

from __future__ import annotations

from collections.abc import Iterable

from towpath.digest import Digest
from towpath.errors import Unavailable
from towpath.store.port import Store
from towpath.store.remote.catalogue import Catalogue
from towpath.store.remote.contents import Contents
from towpath.store.remote.progress import Meter, Moved, Tell, silent
from towpath.store.remote.sending import Sending
from towpath.store.remote.sources import send_object

ROUNDS = 5  # each but the first because a gc condemned in the meantime what was relied on


def push(catalogue: Catalogue, store: Store, objects: Iterable[tuple[Digest, int]], tell: Tell = silent) -> Moved:
    """Send objects of ``store``, given with their sizes, that the remote does not keep. The same call again goes on where one was cut off.

    After its end all of them are there, and no gc that does not know them removes one within its grace time.

    Raises:
        UnknownName, Broken: the store has not got an object that is needed, or not its bytes.
        Unavailable, UsageError: as every call of a bucket.
    """
    wanted = dict(objects)
    catalogue.prepare()
    contents = catalogue.contents()
    moved = absent = missing(contents, wanted)
    meter = Meter(tell)
    for _ in range(ROUNDS):
        if not absent:
            return Moved(len(moved), sum(moved.values()), meter.sent, meter.seconds)
        _send(catalogue, contents, store, absent, meter)
        contents = catalogue.contents()
        absent = missing(contents, wanted)
        moved = moved | absent
    raise Unavailable(
        f"{catalogue.bucket.place} is cleaned up faster than this can be sent", mend="wait until `gc` is through, then push again"
    )


def missing(contents: Contents, wanted: dict[Digest, int]) -> dict[Digest, int]:
    """Those objects that a remote does not keep."""
    return {digest: size for digest, size in wanted.items() if not contents.keeps(digest)}


def _send(catalogue: Catalogue, contents: Contents, store: Store, objects: dict[Digest, int], meter: Meter) -> None:
    meter.total += sum(objects.values())
    with Sending(catalogue, contents, lambda sent: meter.add(sent=sent)) as sending:
        for digest, size in objects.items():
            send_object(store, digest, size, sending)
            meter.add(done=size)
