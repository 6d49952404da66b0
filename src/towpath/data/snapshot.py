"""Snapshots: one immutable version of a dataset, by the digests of its files."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import polars as pl

from towpath.data.content import content_of
from towpath.data.files import FileEntry, Index, Unreadable, find, read
from towpath.digest import Digest, canonical_json
from towpath.project import Dataset
from towpath.store import Store


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What was there: files, the type of each column, rows, and the canonical digest of the whole table."""

    dataset: str
    files: tuple[FileEntry, ...]
    columns: dict[str, str]
    rows: int
    content: Digest


class Part(msgspec.Struct, frozen=True):
    """One file as it was read; ``frame`` is None where it was unreadable, and ``fault`` says why."""

    file: str
    frame: pl.DataFrame | None
    fault: str = ""


class Taken(msgspec.Struct, frozen=True):
    """A snapshot with its digest in the store and its table."""

    snapshot: Snapshot
    digest: Digest
    frame: pl.DataFrame


def parts(name: str, dataset: Dataset, root: Path) -> tuple[Part, ...]:
    """Every file of a dataset, read; a file that cannot be read is a part with a fault, for the checks to judge."""
    return tuple(_part(root, file) for file in find(root, name, dataset))


def _part(root: Path, file: Path) -> Part:
    try:
        return Part(str(file.relative_to(root)), read(root, file))
    except Unreadable as fault:
        return Part(fault.file, None, fault.why)


def take(name: str, dataset: Dataset, root: Path, read_parts: tuple[Part, ...], index: Index, store: Store) -> Taken:
    """Put a dataset's files into the store and name them by one digest. The parts have passed their checks."""
    frame = pl.concat([part.frame for part in read_parts if part.frame is not None], how="vertical_relaxed")
    entries = tuple(index.entry(root, file) for file in find(root, name, dataset))
    for entry in entries:
        if not store.has(entry.digest):
            store.put_file(root / entry.path)
    index.save()
    store.sync()
    snapshot = Snapshot(dataset=name, files=entries, columns=types_of(frame), rows=frame.height, content=content_of(frame))
    digest = store.put(canonical_json(snapshot))
    store.sync()
    return Taken(snapshot, digest, frame)


def load(store: Store, digest: Digest) -> Snapshot:
    """A snapshot's manifest."""
    return msgspec.json.decode(store.get(digest), type=Snapshot)


def table(store: Store, snapshot: Snapshot) -> pl.DataFrame:
    """A snapshot's rows, from the store alone."""
    frames = []
    for entry in snapshot.files:
        data = io.BytesIO(store.get(entry.digest))
        frames.append(
            pl.read_csv(data, try_parse_dates=True, infer_schema_length=10_000) if entry.path.endswith(".csv") else pl.read_parquet(data)
        )
    return pl.concat(frames, how="vertical_relaxed")


def types_of(frame: pl.DataFrame) -> dict[str, str]:
    """The logical type of each column, as checks and people name it."""
    return {name: type_name(dtype) for name, dtype in frame.schema.items()}


def type_name(dtype: pl.DataType) -> str:
    """``string``, ``integer``, ``number``, ``boolean``, ``time``, or Polars' own name for anything else."""
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return "string"
    if dtype.is_integer():
        return "integer"
    if dtype.is_float():
        return "number"
    if dtype == pl.Boolean:
        return "boolean"
    return "time" if isinstance(dtype, pl.Datetime | pl.Date) else str(dtype).lower()
