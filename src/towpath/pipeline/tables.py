"""Tables between steps: any library's frame as Arrow in the store, and back as Polars; a dataset's rows from its snapshot."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from towpath.data.content import of_frame
from towpath.data.exclude import left
from towpath.data.read import read_file
from towpath.data.snapshot import load
from towpath.data.walk import are_tables
from towpath.digest import Digest
from towpath.errors import UnknownName, UsageError
from towpath.formats.frames import as_annotated, as_polars
from towpath.pipeline.folders import lend_files
from towpath.pipeline.functions import Function, annotation, wants_folder
from towpath.pipeline.values import Snapshot, Value
from towpath.store import Store


def encoded(made: Any, step: str) -> tuple[bytes, Digest]:
    """A frame's bytes and content. Raises UsageError where it has two columns of one name, or values without a content."""
    frame = frame_of(made, step)
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="lz4")
    return buffer.getvalue(), of_frame(frame)


def frame_of(made: Any, step: str) -> pl.DataFrame:
    """What a step gave back, as a Polars frame. Raises UsageError where it is none."""
    return as_polars(made, source=f"step {step!r}")


def decoded(value: Value, store: Store) -> pl.DataFrame:
    """The frame of a table, or of a dataset's snapshot without the rows that are excluded."""
    data = store.get(value.output)
    if value.codec == "table":
        return pl.read_ipc(io.BytesIO(data))
    shot = msgspec.json.decode(data, type=Snapshot)
    return left(load(store, shot.manifest), shot.exclusions)


def holds(value: Value, store: Store) -> bool:
    """Whether a table that somebody else made is there, can be read, and has the content that they say."""
    try:
        return of_frame(decoded(value, store)) == value.content
    except Exception:  # whatever a library says of bytes that are no table
        return False


def annotated(step: str, function: Function, parameter: str, frame: pl.DataFrame) -> Any:
    """A frame as the step's parameter is annotated. Raises UsageError where it wants a folder."""
    if wants_folder(function, parameter):
        raise UsageError(
            f"step {step!r} takes {parameter!r} as a folder, and it is a table", mend=f"annotate it as a frame: `{parameter}: pl.DataFrame`"
        )
    return as_annotated(frame, annotation(function, parameter))


def table(value: Value, store: Store, place: Path, source: str) -> pl.DataFrame:
    """The frame of a table, or of files that are one; these are lent below ``place`` meanwhile. Raises as ``of_files`` does."""
    if value.codec != "files":
        return decoded(value, store)
    with lend_files(value, store, place) as folder:
        return of_files(folder, source)


def of_files(folder: Path, source: str) -> pl.DataFrame:
    """The table in the files of a folder, one under another in the order of their names.

    Raises:
        UsageError: they are not all Parquet, CSV or Arrow by their names, or not of one form.
        Unreadable: a file is no table.
    """
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if not files or not are_tables(file.name for file in files):
        names = ", ".join(file.name for file in files[:3]) or "nothing"
        raise UsageError(f"{source} is files ({names}) and no table", mend="annotate it as what it gets, a folder: `Path`")
    try:
        return pl.concat([read_file(file) for file in files])
    except pl.exceptions.PolarsError as fault:
        raise UsageError(f"the files of {source} are not one table: {fault}", mend="annotate it as a folder: `Path`") from None


def write(frame: pl.DataFrame, file: Path) -> None:
    """Write a table in the form that the file's name says. Raises UsageError where it says none, or where that form cannot hold it."""
    suffix = file.suffix.lower()
    if suffix not in _WRITERS:
        known = ", ".join(_WRITERS)
        raise UsageError(f"a table cannot be written as {file.name!r}", mend=f"give it a name that ends with one of {known}")
    try:
        _WRITERS[suffix](frame, file)
    except pl.exceptions.PolarsError as fault:
        raise UsageError(
            f"the table cannot be written as {file.name!r}: {fault}", mend="name it *.parquet, which holds any table"
        ) from None


_WRITERS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    ".parquet": pl.DataFrame.write_parquet,
    ".pq": pl.DataFrame.write_parquet,
    ".csv": pl.DataFrame.write_csv,
    ".tsv": lambda frame, file: frame.write_csv(file, separator="\t"),
    ".arrow": pl.DataFrame.write_ipc,
    ".feather": pl.DataFrame.write_ipc,
    ".json": pl.DataFrame.write_json,
    ".ndjson": pl.DataFrame.write_ndjson,
}


def split(frame: pl.DataFrame, column: str, step: str) -> list[tuple[str, pl.DataFrame]]:
    """The rows by the values of a column, in the order of these, nulls last, with what the values are called.

    Raises:
        UnknownName: there is no such column.
        UsageError: there are no rows, or the values are fractions or nested, or two of them are called the same.
    """
    if column not in frame.columns:
        raise UnknownName(f"column of what step {step!r} takes first", column, frame.columns)
    kind = frame.schema[column]
    if kind.is_float() or kind.is_nested() or not frame.height:
        why = f"column {column!r} is {kind}" if frame.height else "there are no rows"
        raise UsageError(
            f"step {step!r} cannot be made for each {column!r}: {why}", mend="name a column of texts, whole numbers, days or times"
        )
    parts = frame.partition_by(column, maintain_order=True)
    found = sorted(((part[column][0], part) for part in parts), key=lambda one: (one[0] is None, one[0] if one[0] is not None else 0))
    labelled = [("null" if value is None else str(value), part) for value, part in found]
    names = [label for label, _ in labelled]
    if twice := next((label for label in names if names.count(label) > 1), None):
        raise UsageError(f"two values of column {column!r} are called {twice!r}", mend="tell them apart in the step before")
    return labelled


def stacked(frames: Mapping[str, pl.DataFrame], step: str) -> pl.DataFrame:
    """Tables one under another. Raises UsageError where they have not the same columns."""
    try:
        return pl.concat(frames.values())
    except pl.exceptions.PolarsError as fault:
        raise UsageError(
            f"the parts of step {step!r} are not one table: {fault}", mend="return the same columns, of the same types, for each part"
        ) from None
