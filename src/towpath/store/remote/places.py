"""Which bucket a URL or a path means."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

from towpath.errors import UsageError
from towpath.store.remote.bucket import Bucket
from towpath.store.remote.folder import FolderBucket

CLOUDS = ("s3", "s3a", "gs", "az", "abfs", "abfss", "memory")


def bucket_at(place: str) -> Bucket:
    """The bucket at ``s3://bucket/prefix``, ``gs://...``, ``az://...``, ``file:///folder`` or a plain path.

    Raises:
        UsageError: no such scheme, or what follows it is no place.
        ModuleNotFoundError: a cloud's adapter needs obstore, of the extra ``remote``.
    """
    scheme, colon, _ = place.partition("://")
    if not colon:
        return FolderBucket(Path(place).expanduser())
    if scheme == "file":
        return FolderBucket(Path(unquote(urlsplit(place).path)))
    if scheme not in CLOUDS:
        raise UsageError(
            f"{place!r} is no place for a remote", mend=f"write a folder, or a URL that begins with {', '.join(CLOUDS[:4])} and ://"
        )
    bucket: Bucket = import_module("towpath.store.remote.cloud").CloudBucket(place)
    return bucket
