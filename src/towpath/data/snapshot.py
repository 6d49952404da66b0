"""A table taken from a dataset's files through the store, and read back from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from towpath.data import columns, content, facts, manifest, read
from towpath.data.facts import Facts
from towpath.data.index import Index
from towpath.data.manifest import Snapshot
from towpath.data.read import Unreadable
from towpath.data.sources import Origin, Source, known
from towpath.data.sources.opening import opened
from towpath.data.walk import Found, is_table
from towpath.digest import Digest
from towpath.errors import Broken, Refused
from towpath.project import Dataset
from towpath.store import Store
from towpath.store.trees import FileEntry


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of a dataset as it was read. Its bytes are in the store. Of a table: the ``frame``, or the ``fault`` that it has none."""

    path: str
    digest: Digest
    size: int
    frame: pl.DataFrame | None = None
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A snapshot, the digest of its manifest in the store, its table and the facts of it. Without columns where it is files."""

    snapshot: Snapshot
    digest: Digest
    frame: pl.DataFrame
    facts: Facts


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a source had: its files as they were read, whether they are a table, and what a snapshot is to remember of the source."""

    parts: tuple[Part, ...]
    kind: Literal["table", "files"]
    origin: Origin


def look(dataset: Dataset, root: Path, store: Store, index: Index | None = None) -> tuple[Part, ...]:
    """The parts of ``see``."""
    return see(dataset, root, store, index).parts


def see(dataset: Dataset, root: Path, store: Store, index: Index | None = None) -> Seen:
    """Put the dataset's files into the store and read them from there: what is checked is what is kept, whatever happens to the files.

    With an ``index``, files that look untouched and are in the store already are not copied again. Files are read as tables where all
    their names say that they are.

    Raises:
        UsageError: there are no files, or the source is declared wrongly.
        Unavailable: the source does not answer.
    """
    source = opened(dataset, root)
    now = source.look()
    kind: Literal["table", "files"] = "table" if is_table(now.files) else "files"
    try:
        parts = tuple(_part(source, file, kind == "table", store, index) for file in now.files)
    finally:
        if index:
            index.save()
    return Seen(parts=parts, kind=kind, origin=now.origin)


def _part(source: Source, file: Found, table: bool, store: Store, index: Index | None) -> Part:
    digest = index.known(file.path, file.marks) if index else None
    if digest is None or not store.has(digest):
        digest, size = known.fresh(source, file, index, store.put_file)
    else:
        size = known.size(file, digest, store)
    if not table:
        return Part(path=file.name, digest=digest, size=size)
    data = store.get(digest)
    try:
        return Part(path=file.name, digest=digest, size=len(data), frame=read.read_bytes(data, file.name))
    except Unreadable as fault:
        return Part(path=file.name, digest=digest, size=len(data), fault=fault.reason)


def take(
    name: str, parts: Sequence[Part], store: Store, *, kind: Literal["table", "files"] = "table", origin: Origin | None = None
) -> Taken:
    """Make the snapshot of parts that passed their checks. Files are synced before the manifest that names them.

    Raises:
        Refused: a part is no table, or a column has another type in one file than in the others: names both.
    """
    if kind == "files":
        plain = [FileEntry(part.path, part.digest, part.size) for part in parts]
        snapshot, digest = manifest.keep(store, name, kind, plain, origin or {})
        return Taken(snapshot=snapshot, digest=digest, frame=pl.DataFrame(), facts=_facts_of_files(snapshot))
    frame = together([(part.path, _frame(part)) for part in parts])
    entries = [FileEntry(part.path, part.digest, part.size, _frame(part).height) for part in parts]
    snapshot, digest = manifest.keep(store, name, kind, entries, origin or {})
    found = facts_of(frame)
    facts.keep(store, snapshot.root, found)
    return Taken(snapshot=snapshot, digest=digest, frame=frame, facts=found)


def _facts_of_files(snapshot: Snapshot) -> Facts:
    """Files that are no table are told apart by their tree: by their names and their bytes."""
    return Facts(columns={}, content=snapshot.root)


def _frame(part: Part) -> pl.DataFrame:
    if part.frame is None:
        raise Unreadable(part.path, part.fault)
    return part.frame


def facts_of(frame: pl.DataFrame) -> Facts:
    """Columns and content of a table."""
    types = {series.name: columns.logical(series.dtype) for series in frame.iter_columns()}
    return Facts(columns=types, content=content.of_frame(frame))


def known_facts(store: Store, digest: Digest) -> Facts:
    """The facts of the table whose snapshot's manifest is stored under ``digest``: as noted, or read anew."""
    snapshot = manifest.manifest(store, digest)
    if snapshot.kind == "files":
        return _facts_of_files(snapshot)
    return facts.recall(store, snapshot.root) or facts_of(load(store, digest))


def load(store: Store, digest: Digest) -> pl.DataFrame:
    """The table of a snapshot, from the store alone.

    Raises:
        Broken: the files no longer give the content that was noted when they were read first.
    """
    snapshot = manifest.manifest(store, digest)
    entries = manifest.files_of(store, digest)
    frame = together([(file.path, read.read_bytes(store.get(file.digest), file.path)) for file in entries])
    noted = facts.recall(store, snapshot.root)
    if noted and (found := content.of_frame(frame)) != noted.content:
        raise Broken(
            f"snapshot {digest} of {snapshot.dataset} now reads as content {found}, when it was taken it was {noted.content}",
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
