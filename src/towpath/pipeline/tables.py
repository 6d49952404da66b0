"""Tables between steps: any library's frame as Arrow in the store, and back as Polars; a dataset's rows from its snapshot."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import polars as pl

from towpath.data.content import of_frame
from towpath.data.exclude import left
from towpath.data.snapshot import load
from towpath.digest import Digest
from towpath.errors import UsageError
from towpath.formats.frames import as_annotated, as_polars
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


def annotated(step: str, function: Function, parameter: str, frame: pl.DataFrame) -> Any:
    """A frame as the step's parameter is annotated. Raises UsageError where it wants a folder."""
    if wants_folder(function, parameter):
        raise UsageError(
            f"step {step!r} takes {parameter!r} as a folder, and it is a table", mend=f"annotate it as a frame: `{parameter}: pl.DataFrame`"
        )
    return as_annotated(frame, annotation(function, parameter))
