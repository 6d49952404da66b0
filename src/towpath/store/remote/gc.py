"""Removing from a remote what nothing needs any more, beside pushes that go on meanwhile.

A pack without live blobs is first *condemned*: a note says so. Pushes from then on do not rely on it, and look at the notes once more
before they end. Only a later gc, when the note is older than the grace time, deletes it; what has become live again by then is written
to a new pack first. A condemned pack is never pardoned, so no two writers can be of two minds about one. Packs younger than the grace
time are left alone: the push that made them may not have ended, or what names its objects may not be known here yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta

from towpath.digest import Digest
from towpath.errors import Broken
from towpath.store.remote import keys
from towpath.store.remote.catalogue import Catalogue
from towpath.store.remote.parallel import in_parallel
from towpath.store.remote.plan import Collected, Plan, collected, plan
from towpath.store.remote.sending import Sending
from towpath.store.remote.spans import Gone, read, spans

GRACE = timedelta(days=14)  # longer than any push, and than it takes from a push until whoever collects knows what was pushed
WRITERS = 8


def gc(
    catalogue: Catalogue,
    live: Iterable[Digest],
    *,
    dry_run: bool,
    now: datetime | None,
    grace: timedelta = GRACE,
    erased: Iterable[Digest] = (),
) -> Collected:
    """Delete what was condemned long enough ago and condemn what is not among ``live`` objects; any number at once are safe.

    A pack that holds part of an ``erased`` object is condemned even if most of it is live.
    ``now`` is by the bucket's own clock where it is None. ``dry_run`` changes nothing and tells what would be done.

    Raises:
        Broken: a blob that must be moved is damaged; nothing that was live before has been deleted.
        Unavailable, UsageError: as every call of a bucket.
    """
    catalogue.prepare()
    found, needed = catalogue.found(), set(live)
    steps = plan(found, needed, now or bucket_time(catalogue), grace, erased)
    if not dry_run:
        _carry_out(catalogue, steps)
    return collected(found, steps, needed, dry_run=dry_run)


def bucket_time(catalogue: Catalogue) -> datetime:
    """What the bucket's clock shows: this machine's may be wrong, and then a gc would take a push under way for an old one."""
    key = f"{keys.CLOCK}/{os.urandom(8).hex()}"
    catalogue.bucket.put(key, b"")
    times = [stored.at for stored in catalogue.bucket.list(keys.CLOCK)]
    catalogue.bucket.delete([key])
    return max(times)


def _carry_out(catalogue: Catalogue, steps: Plan) -> None:
    bucket = catalogue.bucket
    _rewrite(catalogue, steps)
    for _ in in_parallel(lambda pack: bucket.put(keys.of_note(pack), b""), steps.condemn, WRITERS):
        pass
    if steps.merged:
        catalogue.add(*steps.merged)
    bucket.delete(keys.of_pack(pack) for pack in steps.delete)
    bucket.delete(steps.forget)


def _rewrite(catalogue: Catalogue, steps: Plan) -> None:
    if not steps.rewrite:
        return
    with Sending(catalogue, steps.after, lambda sent: None) as sending:
        for span in spans(steps.rewrite):
            try:
                for name, blob in read(catalogue.bucket, span):
                    sending.blob(name, blob)
            except Gone as fault:
                place = f"{catalogue.bucket.place}/{keys.of_pack(fault.pack)}"
                raise Broken(f"{place} vanished while it was read", mend="another gc is going on: try again") from fault
