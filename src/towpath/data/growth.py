"""How much a dataset has grown since the last training: from file entries alone, cheap enough for every turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from towpath.data.files import FileEntry, Index, Unreadable, find
from towpath.data.snapshot import Snapshot
from towpath.digest import Digest, of_value
from towpath.errors import UsageError
from towpath.project import Dataset


class Peek(msgspec.Struct, frozen=True):
    """What lies there now: the readable files' entries, and one digest that names this state."""

    files: tuple[FileEntry, ...]
    state: Digest


def peek(name: str, dataset: Dataset, root: Path, index: Index) -> Peek:
    """Look at a dataset's files; of Parquet only footers are read, and nothing unchanged is read twice."""
    entries: list[FileEntry] = []
    marks: list[tuple[str, str]] = []
    try:
        files = find(root, name, dataset)
    except UsageError:
        files = []
    for file in files:
        try:
            entry = index.entry(root, file)
        except (Unreadable, FileNotFoundError):
            entry = FileEntry(str(file.relative_to(root)), Digest("unreadable"), 0, 0)
        entries.append(entry)
        marks.append((entry.path, entry.digest))
    return Peek(tuple(entries), of_value(marks))


def new_rows(now: Sequence[FileEntry], trained: Snapshot | None) -> tuple[int, float]:
    """Rows that the last training has not seen, and their share of those that it has.

    A file that was there counts by how much it grew; a file with other bytes and no more rows has been rewritten, and all
    of it is new: training on the old rows is not training on these.
    """
    was = {entry.path: entry for entry in trained.files} if trained else {}
    rows = 0
    for entry in now:
        before = was.get(entry.path)
        if before is None:
            rows += entry.rows
        elif before.digest != entry.digest:
            grown = entry.rows - before.rows
            rows += grown if grown > 0 else entry.rows
    return rows, rows / max(trained.rows if trained else 0, 1)
