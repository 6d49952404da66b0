"""How much a dataset has grown since a snapshot: from manifests and file marks alone where nothing changed, so that every turn can ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec
import polars as pl

from towpath.data import read
from towpath.data.index import Index
from towpath.data.keys import Keys
from towpath.data.sources import known
from towpath.data.sources.opening import opened
from towpath.data.walk import are_tables
from towpath.digest import Digest, of_value
from towpath.errors import Unavailable
from towpath.project import Dataset
from towpath.store.trees import FileEntry


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """``rows_new`` rows that the snapshot did not hold, as a share of the rows that it held; ``state`` names what is there now.

    ``size_new``: bytes of them; of a file with some new rows, as large a part. A dataset whose files are no tables has files for rows,
    and its share is that of the bytes.
    """

    rows_new: int
    share: float
    state: Digest
    size_new: int = 0
    unit: Literal["rows", "files"] = "rows"


def peek(dataset: Dataset, root: Path, index: Index) -> tuple[FileEntry, ...]:
    """The dataset's files as they are now. Untouched ones are not read; of a touched Parquet file, its bytes for the digest and its footer.

    A file that is no table, or cannot be read as one, has -1 rows. Raises UsageError when there is no file.
    """
    source, entries = opened(dataset, root), []
    found = source.look().files
    count = read.rows_of if are_tables(file.name for file in found) else _none
    for file in found:
        with suppress(Unavailable):  # taken away since it was listed
            digest = known.digest(source, file, index)
            rows = known.rows(source, file, digest, index, count)
            entries.append(FileEntry(file.name, digest, file.marks.size, rows))
    index.save()
    return tuple(entries)


def _none(path: Path) -> int:
    return -1


def state_of(files: Iterable[FileEntry]) -> Digest:
    """What names these files: another when one is added, taken away or rewritten."""
    return of_value([[file.path, file.digest] for file in files])


def growth(current: Iterable[FileEntry], trained: Sequence[FileEntry] | None) -> Growth:
    """What ``current`` files hold that those of the ``trained`` snapshot did not.

    A file counts by its path: a new one with all its rows; a rewritten one with the rows that it has more, or with all of them where it
    has not more (then values were mended, and nobody can say which); one that was only taken away with none. Rows that moved to another
    file, with bytes already known, are not new. A file that cannot be read counts as if everything were new: the run that follows will
    say what is wrong with it. Without a snapshot everything is new.

    >>> before = [FileEntry("a.parquet", Digest("1"), 1, 100)]
    >>> growth([*before, FileEntry("b.parquet", Digest("3"), 1, 20)], before).share
    0.2
    """
    files = tuple(current)
    was = {file.path: file for file in trained or ()}
    new = _new(files, was.values())
    if not are_tables(file.path for file in files):
        return _of_files(files, new, was.values())
    if any(file.rows < 0 for file in new):
        rows_before = sum(file.rows for file in was.values())
        return Growth(rows_new=max(1, rows_before), share=1.0, state=state_of(files), size_new=sum(file.size for file in new))
    return _of_rows(files, was.values(), [(file, _rows_new(file, was.get(file.path))) for file in new])


def growth_by_key(current: Iterable[FileEntry], trained: Sequence[FileEntry], keys: Callable[[FileEntry], Keys]) -> Growth:
    """As ``growth``, and rows count by their key: those whose key no row of the ``trained`` snapshot has.

    So a file that was rewritten, cut in two or put together anew holds nothing new but what is. A row with a null in its key has no
    name: as many of these are new as there are more of them.

    Args:
        keys: of a file of either; raises Refused where it has none.
    """
    files = tuple(current)
    new, gone = _new(files, trained), _new(trained, files)
    if any(file.rows < 0 for file in new):
        return growth(files, trained)
    seen = [keys(file).marks for file in trained] if new else []
    known_marks = pl.concat(seen).unique() if seen else pl.Series("marks", [], dtype=pl.UInt64)
    counted, unnamed = [], -sum(keys(file).unnamed for file in gone) if new else 0
    for file in new:
        found = keys(file)
        unnamed += found.unnamed
        counted.append((file, int((~found.marks.is_in(known_marks.implode())).sum())))
    return _of_rows(files, trained, counted, more=max(0, unnamed))


def _new(files: Iterable[FileEntry], others: Iterable[FileEntry]) -> list[FileEntry]:
    there = {file.digest for file in others}
    return [file for file in files if file.digest not in there]


def _of_rows(
    files: Sequence[FileEntry], trained: Iterable[FileEntry], counted: Sequence[tuple[FileEntry, int]], *, more: int = 0
) -> Growth:
    rows_before, rows_new = sum(file.rows for file in trained), sum(rows for _, rows in counted) + more
    return Growth(
        rows_new=rows_new,
        share=rows_new / rows_before if rows_before > 0 else float(rows_new > 0),
        state=state_of(files),
        size_new=sum(round(file.size * rows / file.rows) for file, rows in counted if file.rows),
    )


def _of_files(files: Sequence[FileEntry], new: Sequence[FileEntry], trained: Iterable[FileEntry]) -> Growth:
    size_before, size_new = sum(file.size for file in trained), sum(file.size for file in new)
    share = size_new / size_before if size_before else float(bool(new))
    return Growth(rows_new=len(new), share=share, state=state_of(files), size_new=size_new, unit="files")


def _rows_new(file: FileEntry, before: FileEntry | None) -> int:
    return file.rows - before.rows if before and file.rows > before.rows else file.rows
