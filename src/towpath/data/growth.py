"""How much a dataset has grown since a snapshot: from manifests and file marks alone, so that every turn of the loop can ask."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from towpath.data import read
from towpath.data.index import Index
from towpath.data.snapshot import FileEntry, Snapshot, name_of
from towpath.digest import Digest, of_value
from towpath.project import Dataset


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """``rows_new`` rows that the snapshot did not hold, as a share of the rows that it held; ``state`` names what is there now."""

    rows_new: int
    share: float
    state: Digest


def peek(dataset: Dataset, root: Path, index: Index) -> tuple[FileEntry, ...]:
    """The dataset's files as they are now. Untouched ones are not read; of a touched Parquet file, its bytes for the digest and its footer.

    A file that cannot be read has -1 rows. Raises UsageError when there is no file.
    """
    found = []
    for path in read.files(root, dataset):
        with suppress(FileNotFoundError):  # taken away since it was listed
            known = index.of(path)
            found.append(FileEntry(path=name_of(path, root), digest=known.digest, size=known.size, rows=known.rows))
    index.save()
    return tuple(found)


def growth(current: Iterable[FileEntry], trained: Snapshot | None) -> Growth:
    """What ``current`` files hold that the ``trained`` snapshot does not.

    A file counts by its path: a new one with all its rows; a rewritten one with the rows that it has more, or with all of them where it
    has not more (then values were mended, and nobody can say which); one that was only taken away with none. Rows that moved to another
    file, with bytes already known, are not new. A file that cannot be read counts as if everything were new: the run that follows will
    say what is wrong with it. Without a snapshot everything is new.

    >>> entry = FileEntry(path="a", digest=Digest("1"), size=1, rows=100)
    >>> before = Snapshot(dataset="d", files=(entry,), rows=100, columns={}, content=Digest("2"))
    >>> growth([entry, FileEntry(path="b", digest=Digest("3"), size=1, rows=20)], before).share
    0.2
    """
    files = tuple(current)
    state = of_value([[file.path, file.digest] for file in files])
    rows_before = trained.rows if trained else 0
    was = {file.path: file for file in trained.files} if trained else {}
    known = {file.digest for file in was.values()}
    new = [file for file in files if file.digest not in known]
    if any(file.rows < 0 for file in new):
        return Growth(rows_new=max(1, rows_before), share=1.0, state=state)
    rows_new = sum(_rows_new(file, was.get(file.path)) for file in new)
    return Growth(rows_new=rows_new, share=rows_new / rows_before if rows_before else float(rows_new > 0), state=state)


def _rows_new(file: FileEntry, before: FileEntry | None) -> int:
    return file.rows - before.rows if before and file.rows > before.rows else file.rows
