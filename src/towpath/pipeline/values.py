"""What steps give each other: bytes in the store, with the codec that reads them and the canonical digest of what they mean."""

from __future__ import annotations

import msgspec

from towpath.data.exclusion import Exclusion
from towpath.digest import Digest

TABLES = "table", "snapshot"  # the codecs of tables


class Value(msgspec.Struct, frozen=True):
    """What a step made, or is given. ``output`` names the stored bytes; ``content`` decides reuse, whatever form the bytes have."""

    codec: str
    output: Digest
    content: Digest


class Snapshot(msgspec.Struct, frozen=True):
    """A dataset's table as a step gets it: the snapshot under ``manifest``, without the rows that are excluded."""

    manifest: Digest
    exclusions: tuple[Exclusion, ...] = ()


class Parts(msgspec.Struct, frozen=True):
    """The parts of a table by the values of a column, in the order of these."""

    parts: list[tuple[str, Value]]
