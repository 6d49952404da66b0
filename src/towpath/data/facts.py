"""What reading a table tells: its columns and its content. Kept beside the snapshot, for it follows from the bytes alone."""

from __future__ import annotations

import msgspec

from towpath.digest import Digest, canonical_json, of_value
from towpath.store import Execution, Store


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """``columns``: logical types by name, in order. ``content``: the canonical digest of the whole table."""

    columns: dict[str, str]
    content: Digest


def keep(store: Store, root: Digest, facts: Facts) -> None:
    """Note the facts of the table whose files are the tree ``root``."""
    output = store.put(canonical_json(facts))
    store.remember(Execution(fingerprint=_name(root), step="facts of a table", output=output, content=facts.content, seconds=0.0))


def recall(store: Store, root: Digest) -> Facts | None:
    """The facts that were noted, if they were."""
    known = store.recall(_name(root))
    return msgspec.json.decode(store.get(known.output), type=Facts) if known else None


def _name(root: Digest) -> Digest:
    return of_value(["facts of a table", 1, root])
