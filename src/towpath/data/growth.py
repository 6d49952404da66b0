"""How much a dataset has grown since a snapshot: from manifests and file marks alone, so that every turn of the loop can ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from towpath.data import read, walk
from towpath.data.index import Index
from towpath.digest import Digest, of_value
from towpath.errors import Unavailable
from towpath.project import Dataset
from towpath.store.trees import FileEntry


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """``rows_new`` rows that the snapshot did not hold, as a share of the rows that it held; ``state`` names what is there now."""

    rows_new: int
    share: float
    state: Digest


def peek(dataset: Dataset, root: Path, index: Index) -> tuple[FileEntry, ...]:
    """The dataset's files as they are now. Untouched ones are not read; of a touched Parquet file, its bytes for the digest and its footer.

    A file that cannot be read has -1 rows. Raises UsageError when there is no file.
    """
    entries = []
    for file in walk.walk(root, dataset):
        with suppress(Unavailable):  # taken away since it was listed
            digest = index.digest(file.path, file.marks)
            rows = index.rows(digest, file.path, read.rows_of)
            entries.append(FileEntry(file.name, digest, file.marks.size, rows))
    index.save()
    return tuple(entries)


def growth(current: Iterable[FileEntry], trained: Sequence[FileEntry] | None) -> Growth:
    """What ``current`` files hold that those of the ``trained`` snapshot did not.

    A file counts by its path: a new one with all its rows; a rewritten one with the rows that it has more, or with all of them where it
    has not more (then values were mended, and nobody can say which); one that was only taken away with none. Rows that moved to another
    file, with bytes already known, are not new. A file that cannot be read counts as if everything were new: the run that follows will
    say what is wrong with it. Without a snapshot everything is new.

    >>> before = [FileEntry("a", Digest("1"), 1, 100)]
    >>> growth([*before, FileEntry("b", Digest("3"), 1, 20)], before).share
    0.2
    """
    files = tuple(current)
    state = of_value([[file.path, file.digest] for file in files])
    was = {file.path: file for file in trained or ()}
    rows_before = sum(file.rows for file in was.values())
    known = {file.digest for file in was.values()}
    new = [file for file in files if file.digest not in known]
    if any(file.rows < 0 for file in new):
        return Growth(rows_new=max(1, rows_before), share=1.0, state=state)
    rows_new = sum(_rows_new(file, was.get(file.path)) for file in new)
    return Growth(rows_new=rows_new, share=rows_new / rows_before if rows_before else float(rows_new > 0), state=state)


def _rows_new(file: FileEntry, before: FileEntry | None) -> int:
    return file.rows - before.rows if before and file.rows > before.rows else file.rows
