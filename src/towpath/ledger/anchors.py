"""Heads of a ledger, kept in a file outside it, so that a cut-off or rewritten end is found too."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from towpath.ledger.port import Head


class Anchors:
    """One JSON line a head, appended; a torn last line (power lost in mid-write) is passed over."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, head: Head) -> None:
        """Note ``head``, unless it is the last one noted."""
        last = self.all()[-1:]
        if last == [head]:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(b"\n" + msgspec.json.encode(head))
            file.flush()
            os.fsync(file.fileno())

    def all(self) -> list[Head]:
        """Every head noted, oldest first."""
        if not self.path.exists():
            return []
        heads = []
        for line in self.path.read_bytes().splitlines():
            try:
                heads.append(msgspec.json.decode(line, type=Head))
            except (msgspec.DecodeError, msgspec.ValidationError):
                continue
        return heads
