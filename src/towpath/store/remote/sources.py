"""Where the bytes of a push come from: a store's objects, cut into blobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from blake3 import blake3

from towpath.digest import Digest
from towpath.store.chunks import LARGE, cut
from towpath.store.port import Store, corrupt, unknown
from towpath.store.remote.index import Large, Name, name_of
from towpath.store.remote.ondisk import OnDisk
from towpath.store.remote.sending import Sending


def send_object(store: Store, digest: Digest, size: int, sending: Sending) -> None:
    """Send an object of a store; a large one, in chunks, is never held in memory.

    Raises:
        UnknownName, Broken: the store has no such object, or not its bytes.
    """
    if size < LARGE:
        sending.blob(name_of(digest), store.get(digest))
        return
    with _opened(store, digest) as file:
        chunks = _send_chunks(file, digest, sending)
    if chunks != [name_of(digest)]:
        sending.large(Large(name_of(digest), chunks))


def _send_chunks(file: BinaryIO, digest: Digest, sending: Sending) -> list[Name]:
    whole, chunks = blake3(), []
    for piece in cut(file):
        whole.update(piece)
        chunks.append(name := blake3(piece).digest())
        sending.blob(name, piece)
    if whole.hexdigest() != digest:
        raise corrupt(digest, Digest(whole.hexdigest()), file.name)
    return chunks


@contextmanager
def _opened(store: Store, digest: Digest) -> Iterator[BinaryIO]:
    """The bytes of an object; of a store without files, through a file that is gone afterwards."""
    with TemporaryDirectory(prefix="towpath-") as folder:
        path = store.path(digest) if isinstance(store, OnDisk) else Path(folder, "object")
        if not isinstance(store, OnDisk):
            store.get_file(digest, path)
        try:
            file = path.open("rb", buffering=0)
        except FileNotFoundError:
            raise unknown(digest) from None
        with file:
            yield file
