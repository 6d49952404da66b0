"""Buckets of S3, Google Cloud Storage and Azure, over obstore. Credentials come from the environment, as of the clouds' own clients."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import ObjectStore, from_url

from towpath.errors import Unavailable, UsageError
from towpath.store.remote.bucket import Stored

CLOUDS = ("s3", "gs", "az", "s3a", "abfs", "abfss", "memory")
PATIENCE_S = 60.0  # from the first try of a call to the start of its last one
WHOLE_CALL_S = 300.0  # four packs of 16 MB at once over 225 kB/s; a server that takes a call and says nothing holds it no longer
PAUSE_S = 0.2  # before a cut-off listing goes on
METADATA = "169.254.169.254"  # whom clients of S3 ask for credentials when the environment has none
CREDENTIALS = (
    "give credentials that may read and write there: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or those of the cloud's own client"
)
BEHIND_THE_END = ("416 Range Not Satisfiable", "416 Requested Range", "Wanted range starting at")
REFUSED = (exceptions.UnauthenticatedError, exceptions.PermissionDeniedError)


class CloudBucket:
    """``url``: ``s3://bucket/prefix``, ``gs://...``, ``az://account/container/prefix``, or ``memory:///`` for tests."""

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S, whole_call_s: float = WHOLE_CALL_S) -> None:
        self.place = url.removesuffix("/")
        self._patience_s = patience_s
        self._store = opened(url, patience_s=patience_s, whole_call_s=whole_call_s)

    def put(self, key: str, data: bytes | bytearray, *, new: bool = False) -> bool:
        with self._explained(f"writing {key}"):
            try:
                # in parts, a cut-off upload would lie in the bucket unseen and be paid for
                obstore.put(self._store, key, data, mode="create" if new else "overwrite", use_multipart=False)
            except exceptions.AlreadyExistsError:
                return False
        return True

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes | None:
        with self._explained(f"reading {key}"):
            try:
                return self._read(key, start, end)
            except FileNotFoundError:
                return None
            except exceptions.GenericError as fault:
                if any(sign in str(fault) for sign in BEHIND_THE_END):
                    return b""  # nothing lies at or behind `start`
                raise

    def _read(self, key: str, start: int, end: int | None) -> bytes:
        if end is not None:
            return bytes(obstore.get_range(self._store, key, start=start, end=end))
        options: Any = {"range": {"offset": start}} if start else None
        return bytes(obstore.get(self._store, key, options=options).bytes())

    def size(self, key: str) -> int | None:
        with self._explained(f"looking for {key}"):
            try:
                return obstore.head(self._store, key)["size"]
            except FileNotFoundError:
                return None

    def list(self, folder: str, after: str = "") -> Iterator[Stored]:
        until = time.monotonic() + self._patience_s
        while True:
            try:
                for stored in self._listed(folder, after):
                    after = stored.key
                    yield stored
                return
            except Unavailable:  # obstore tries calls again, but no listing that was cut off in its middle
                if time.monotonic() > until:
                    raise
                time.sleep(PAUSE_S)

    def _listed(self, folder: str, after: str) -> Iterator[Stored]:
        with self._explained(f"listing {folder}"):
            for found in obstore.list(self._store, folder, offset=after or None, chunk_size=1000):
                for entry in found:
                    yield Stored(entry["path"], entry["size"], entry["last_modified"])

    def delete(self, keys: Iterable[str]) -> None:
        gone = list(keys)
        with self._explained("deleting"):
            for start in range(0, len(gone), 1000):
                try:
                    obstore.delete(self._store, gone[start : start + 1000])
                except FileNotFoundError:
                    self._delete_each(gone[start : start + 1000])

    def _delete_each(self, keys: Iterable[str]) -> None:
        for key in keys:
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError:
                continue

    def _explained(self, doing: str) -> AbstractContextManager[None]:
        return explained(self.place, f"{doing} (tried for up to {self._patience_s:g} s)")


def opened(url: str, *, patience_s: float = PATIENCE_S, whole_call_s: float = WHOLE_CALL_S, **config: Any) -> ObjectStore:
    """obstore's client of a bucket or of a prefix in it; ``config`` as the cloud's own clients call it, else from the environment.

    Raises UsageError where the URL is none.
    """
    retry: Any = {"max_retries": 30, "retry_timeout": timedelta(seconds=patience_s), "backoff": {"max_backoff": timedelta(seconds=5)}}
    http: Any = {"timeout": timedelta(seconds=whole_call_s), "connect_timeout": timedelta(seconds=10)}
    if str(config.get("endpoint", os.environ.get("AWS_ENDPOINT_URL", ""))).startswith("http://"):
        http["allow_http"] = True  # who names such an endpoint means it
    try:
        if url.partition("://")[0] not in CLOUDS:
            raise ValueError(f"Towpath knows the schemes {', '.join(CLOUDS[:3])}")
        if url.startswith("memory:"):
            return from_url(url)
        return from_url(url, client_options=http, retry_config=retry, **config)
    except (exceptions.BaseError, ValueError) as fault:
        raise UsageError(
            f"{url} cannot be opened: {_said(fault)}", mend="write s3://bucket/prefix, gs://bucket/prefix or az://account/container"
        ) from fault


@contextmanager
def explained(place: str, doing: str) -> Iterator[None]:
    """Faults of obstore in our words. Raises UsageError where the bucket or the right is missing, else Unavailable."""
    try:
        yield
    except (exceptions.BaseError, ValueError, OSError) as fault:
        if isinstance(fault, FileNotFoundError) or "404 Not Found" in str(fault):  # of a listing, only the text tells
            raise UsageError(
                f"{place} is not there: {_said(fault)}", mend="make the bucket, or correct its name in towpath.yaml"
            ) from fault
        if _is_refusal(fault):
            raise UsageError(f"{place} refuses {doing}: {_said(fault)}", mend=CREDENTIALS) from fault
        raise Unavailable(
            f"{place} did not answer while {doing}: {_said(fault)}",
            mend="look whether it is up and reachable; nothing is lost, and the same command goes on where this one ended",
        ) from fault


def _is_refusal(fault: BaseException) -> bool:
    """Whether other credentials would help. Of a listing, and of none found at all, only the text tells."""
    return isinstance(fault, REFUSED) or any(sign in str(fault) for sign in ("403 Forbidden", "401 Unauthorized", METADATA))


def _said(fault: BaseException) -> str:
    """A fault in one line: what was called, and the server's own words where it had any."""
    if METADATA in str(fault):
        return "no credentials were found"
    words = re.search(r"<Message>(.*?)</Message>", str(fault), re.DOTALL)
    line = str(fault).partition("\n")[0].partition(": <?xml")[0][:400]
    return f"{line}: {words[1]}" if words else line
