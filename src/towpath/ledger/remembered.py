"""What was read of a ledger in a bucket, kept in a file: records never change, so a command need not fetch them all again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from towpath.errors import Broken
from towpath.ledger.batch import decode
from towpath.ledger.port import Head, chain


class Remembered:
    """One batch a line, as it lies in the bucket. Several processes may add to one file; it may be removed at any time.

    A file that cannot be read or written is no fault: it only saves time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, data: bytes) -> None:
        """Note a batch behind the last one."""
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(file, data + b"\n")  # at once, so that lines of two processes do not mix
            finally:
                os.close(file)

    def all(self) -> Iterator[tuple[int, bytes]]:
        """Position and bytes of each batch, as far as the chain holds; what does not hold, and all behind it, is cut off."""
        head, good = Head(), 0
        for line in self._lines():
            after = _after(line, head)
            if after is None:
                return self._cut(good)
            good += len(line)
            if after.position > head.position:
                yield head.position + 1, line.rstrip(b"\n")
                head = after
        return None

    def _lines(self) -> list[bytes]:
        try:
            return self.path.read_bytes().splitlines(keepends=True)
        except OSError:
            return []

    def _cut(self, size: int) -> None:
        with suppress(OSError):
            os.truncate(self.path, size)


def _after(line: bytes, head: Head) -> Head | None:
    """Where the chain ends with this line: where it did when another process noted the batch already; None when it does not hold."""
    if not line.endswith(b"\n"):
        return None
    try:
        records = list(decode(line, "a line").values())
    except Broken:
        return None
    if records[-1].position <= head.position:
        return head
    holds = chain((record.body for record in records), head) == records
    return Head(records[-1].position, records[-1].hash) if holds else None
