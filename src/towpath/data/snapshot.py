"""One immutable version of a dataset: its files in the store, named by a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from towpath.data import columns, content, read
from towpath.data.index import Index
from towpath.data.read import Unreadable
from towpath.digest import Digest, canonical_json
from towpath.errors import Broken, Refused
from towpath.project import Dataset
from towpath.store import Store


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it was: ``path`` as the project names it, digest of its bytes, size in bytes, rows."""

    path: str
    digest: Digest
    size: int
    rows: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a manifest says. It has no times, so the same files give the same manifest, and the same digest.

    ``columns`` are logical types by name, in order; ``content`` is the canonical digest of the whole table.
    """

    form: int = 1
    dataset: str
    files: tuple[FileEntry, ...]
    rows: int
    columns: dict[str, str]
    content: Digest


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of a dataset as it was read: its table, or the ``fault`` that it has none. Its bytes are in the store."""

    path: str
    digest: Digest
    size: int
    frame: pl.DataFrame | None = None
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A snapshot, the digest of its manifest in the store, and its table."""

    snapshot: Snapshot
    digest: Digest
    frame: pl.DataFrame


def look(dataset: Dataset, root: Path, store: Store, index: Index | None = None) -> tuple[Part, ...]:
    """Put the dataset's files into the store and read them from there: what is checked is what is kept, whatever happens to the files.

    With an ``index``, files that look untouched and are in the store already are not copied again.

    Raises:
        UsageError: there are no files, or one is neither Parquet nor CSV.
    """
    parts = tuple(_part(path, root, store, index) for path in read.files(root, dataset))
    if index:
        index.save()
    return parts


def _part(path: Path, root: Path, store: Store, index: Index | None) -> Part:
    known = index.of(path).digest if index else None
    digest = known if known and store.has(known) else store.put_file(path)
    data = store.get(digest)
    name = name_of(path, root)
    try:
        return Part(path=name, digest=digest, size=len(data), frame=read.read_bytes(data, name))
    except Unreadable as fault:
        return Part(path=name, digest=digest, size=len(data), fault=fault.reason)


def name_of(path: Path, root: Path) -> str:
    """How manifests and verdicts name a file: relative to the project where it lies below it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def take(name: str, parts: Sequence[Part], store: Store) -> Taken:
    """Make the snapshot of parts that passed their checks. Files are synced before the manifest that names them.

    Raises:
        Refused: a part is no table, or a column has another type in one file than in the others: names both.
    """
    frame = together([(part.path, _frame(part)) for part in parts])
    entries = tuple(FileEntry(path=part.path, digest=part.digest, size=part.size, rows=_frame(part).height) for part in parts)
    types = {series.name: columns.logical(series.dtype) for series in frame.iter_columns()}
    snapshot = Snapshot(dataset=name, files=entries, rows=frame.height, columns=types, content=content.of_frame(frame))
    store.sync()
    digest = store.put(canonical_json(snapshot))
    store.sync()
    return Taken(snapshot=snapshot, digest=digest, frame=frame)


def _frame(part: Part) -> pl.DataFrame:
    if part.frame is None:
        raise Unreadable(part.path, part.fault)
    return part.frame


def manifest(store: Store, digest: Digest) -> Snapshot:
    """The snapshot whose manifest is stored under ``digest``."""
    try:
        return msgspec.json.decode(store.get(digest), type=Snapshot)
    except msgspec.DecodeError as fault:
        raise Broken(f"object {digest} is no snapshot: {fault}", mend="give the digest of a snapshot's manifest") from None


def load(store: Store, digest: Digest) -> pl.DataFrame:
    """The table of a snapshot, from the store alone.

    Raises:
        Broken: the files no longer give the content that the manifest names.
    """
    snapshot = manifest(store, digest)
    frame = together([(file.path, read.read_bytes(store.get(file.digest), file.path)) for file in snapshot.files])
    if (found := content.of_frame(frame)) != snapshot.content:
        raise Broken(
            f"snapshot {digest} of {snapshot.dataset} now reads as content {found}, its manifest says {snapshot.content}",
            mend="another version of Polars may read these files differently: go back to that one, or take a new snapshot",
        )
    return frame


def together(parts: Sequence[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    """The files' rows in one table, in order. Only what loses nothing is cast: a column without values, integers among numbers, widths.

    Columns are those of all files, in order of appearance; where a file has none, its rows are null.

    Raises:
        Refused: a column has types that do not go together; names file and column.
    """
    wanted: dict[str, pl.DataType] = {}
    for path, frame in parts:
        for series in frame.iter_columns():
            wanted[series.name] = _joined(path, series, wanted.get(series.name))
    tables = [frame.select(pl.col(name).cast(wanted[name]) for name in frame.columns) for _, frame in parts]
    return pl.concat(tables, how="diagonal", rechunk=True).select(list(wanted))


def _joined(path: str, series: pl.Series, known: pl.DataType | None) -> pl.DataType:
    found = pl.String() if columns.logical(series.dtype) == "string" else series.dtype
    is_void = columns.of_series(series) == "null"
    if known is None or known == pl.Null:
        return pl.Null() if is_void else found
    if is_void or found == known:
        return known
    words = columns.logical(found), columns.logical(known)
    if (columns.fits(*words) or columns.fits(*words[::-1])) and columns.zone(found) == columns.zone(known):
        return _wider(found, known)
    raise Refused(
        f"{path}: column {series.name} is {found}, in the files before it {known}",
        mend="have that file delivered in the type of the others",
    )


def _wider(one: pl.DataType, other: pl.DataType) -> pl.DataType:
    """The type that both go into."""
    return pl.concat([pl.Series("", [], dtype=one).to_frame(), pl.Series("", [], dtype=other).to_frame()], how="vertical_relaxed").dtypes[0]
