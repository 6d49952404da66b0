"""What in the store something still needs: whatever the ledger or a commit's towpath.lock names, and all that these name in turn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress

from towpath.data import manifest, share
from towpath.digest import Digest
from towpath.errors import Broken, UnknownName
from towpath.store import Store

_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_DOCUMENT_BYTES = 4 << 20  # manifests and other documents that name objects are small


def named_in(text: bytes) -> set[Digest]:
    """Every digest that a text mentions.

    >>> sorted(named_in(b'{"a": "' + b"0" * 64 + b'"}')) == ["0" * 64]
    True
    """
    return {Digest(found.decode()) for found in _DIGEST.findall(text)}


def live(store: Store, roots: Iterable[Digest]) -> dict[Digest, int]:
    """The roots that the store has and everything that they name, directly or not, with sizes in bytes.

    A snapshot names its tree and files; any other small document of text the digests that it mentions.
    """
    found: dict[Digest, int] = {}
    waiting = list(roots)
    while waiting:
        digest = waiting.pop()
        if digest in found or not store.has(digest):
            continue
        found[digest] = store.size(digest)
        if found[digest] > _DOCUMENT_BYTES:
            continue
        data = store.get(digest)
        if objects := _snapshot(store, digest, data):
            found |= objects
        elif data[:1] in (b"{", b"["):
            waiting += named_in(data) - found.keys()
    return found


def _snapshot(store: Store, digest: Digest, data: bytes) -> dict[Digest, int]:
    """The objects of a snapshot; none where it is something else, or its listing is not all there."""
    if not data.startswith(b"{") or b'"root"' not in data:
        return {}
    with suppress(Broken, UnknownName):
        manifest.manifest(store, digest)
        return {one: size for one, size in share.objects(store, digest) if store.has(one)}
    return {}
