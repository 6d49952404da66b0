"""A remote: what a team shares, in a bucket."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from towpath.digest import Digest
from towpath.store.port import Store
from towpath.store.remote import fetch, gc, push, verify
from towpath.store.remote.bucket import Bucket
from towpath.store.remote.catalogue import Catalogue
from towpath.store.remote.executions import Executions, Forgotten
from towpath.store.remote.plan import Collected
from towpath.store.remote.progress import Moved, Tell, silent
from towpath.store.remote.verify import Verified


class Remote:
    """Objects in a bucket, and the executions that made some of them. Any number of clients may push, fetch and collect at once.

    ``folder`` belongs to this client: indices that it has read, and what cut-off fetches left. It should lie on the disk of the store
    that is fetched into. Without one, nothing is kept between two calls.
    """

    def __init__(self, bucket: Bucket, folder: Path | None = None) -> None:
        self.place, self._folder = bucket.place, folder
        self._catalogue = Catalogue(bucket, folder / "index" if folder else None)
        self.executions = Executions(bucket, folder / "executions" if folder else None)

    def has(self, digests: Iterable[Digest]) -> set[Digest]:
        """Those of these objects that can be fetched."""
        contents = self._catalogue.contents()
        return {digest for digest in digests if contents.has(digest)}

    def knows(self, digest: Digest) -> bool:
        """Whether an object can be fetched, as of the last look, or else of one now: cheap to ask of many that are there."""
        return self._catalogue.seen().has(digest) or self._catalogue.contents().has(digest)

    def size(self, digest: Digest) -> int:
        """Bytes of an object that is ``known``, as of the last look."""
        return self._catalogue.seen().size(digest)

    def push(self, store: Store, objects: Iterable[tuple[Digest, int]], tell: Tell = silent) -> Moved:
        """See :func:`towpath.store.remote.push.push`."""
        return push.push(self._catalogue, store, objects, tell)

    def fetch(self, digests: Iterable[Digest], into: Store, tell: Tell = silent) -> Moved:
        """See :func:`towpath.store.remote.fetch.fetch`."""
        with TemporaryDirectory(prefix="towpath-") as passing:
            scratch = self._folder / "partial" if self._folder else Path(passing)
            return fetch.fetch(self._catalogue, digests, into, scratch, tell)

    def gc(
        self,
        live: Iterable[Digest],
        *,
        dry_run: bool = False,
        now: datetime | None = None,
        grace: timedelta = gc.GRACE,
        erased: Iterable[Digest] = (),
    ) -> Collected:
        """See :func:`towpath.store.remote.gc.gc`."""
        return gc.gc(self._catalogue, live, dry_run=dry_run, now=now, grace=grace, erased=erased)

    def forget(self, *, dry_run: bool = False, now: datetime | None = None) -> Forgotten:
        """See :meth:`towpath.store.remote.executions.Executions.forget`; ``now`` is by the bucket's own clock where it is None."""
        self._catalogue.prepare()
        return self.executions.forget(now or gc.bucket_time(self._catalogue), dry_run=dry_run)

    def verify(self, *, deep: bool = True, tell: Tell = silent) -> Verified:
        """See :func:`towpath.store.remote.verify.verify`."""
        return verify.verify(self._catalogue, deep=deep, tell=tell)
