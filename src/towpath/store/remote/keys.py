"""Which keys of a bucket hold what (pure).

packs/ab/NAME     blobs, one after another
index/DIGEST      what a push added
condemned/NAME    a note that a gc is going to delete this pack; its age is what counts
executions/DIGEST what clients executed, in a bundle of batches
form              the form of all this; its being there says that the bucket honours conditional writes
"""

from __future__ import annotations

from towpath.digest import Digest, is_digest
from towpath.store.remote.index import Name, digest_of, name_of

PACKS, INDEX, CONDEMNED, EXECUTIONS, CLOCK, FORM = "packs", "index", "condemned", "executions", "clock", "form"


def of_pack(name: Name) -> str:
    """The key of a pack."""
    digest = digest_of(name)
    return f"{PACKS}/{digest[:2]}/{digest}"


def of_index(digest: Digest) -> str:
    """The key of an index."""
    return f"{INDEX}/{digest}"


def of_note(pack: Name) -> str:
    """The key of the note that condemns a pack."""
    return f"{CONDEMNED}/{digest_of(pack)}"


def of_bundle(digest: Digest) -> str:
    """The key of a bundle of executions."""
    return f"{EXECUTIONS}/{digest}"


def name_in(key: str) -> Name | None:
    """The pack, index or bundle that a key ends with; None for a key that is not ours.

    >>> name_in("index/" + 64 * "0") == bytes(32), name_in("index/.DS_Store")
    (True, None)
    """
    last = key.rpartition("/")[2]
    return name_of(Digest(last)) if is_digest(last) else None
