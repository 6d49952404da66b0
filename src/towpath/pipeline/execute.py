"""Running a step, or taking what it made before."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from towpath.clock import machine_s
from towpath.data.content import of_frame
from towpath.digest import Digest, canonical_json
from towpath.errors import UsageError
from towpath.formats.frames import as_annotated, as_polars
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.fingerprint import causes
from towpath.pipeline.functions import Function, annotation
from towpath.pipeline.graph import Step
from towpath.pipeline.importing import active
from towpath.pipeline.lend import lent
from towpath.pipeline.reach import Project
from towpath.pipeline.seeds import sow
from towpath.store import Execution, Store
from towpath.store.trees import FileEntry


class Table(msgspec.Struct, frozen=True):
    """A frame and the canonical digest of what is in it."""

    frame: pl.DataFrame
    content: Digest


class Folder(msgspec.Struct, frozen=True):
    """Files that are no table, by their names in the folder that a step gets; ``content`` is the digest of their tree.

    ``place``: where there is room for such folders.
    """

    files: dict[str, FileEntry]
    content: Digest
    place: Path


class Executed(msgspec.Struct, frozen=True):
    """What a step made; ``reused`` when it had made it before. ``fingerprint`` is also the digest of a stored JSON that spells it out."""

    step: str
    fingerprint: Digest
    reused: bool
    seconds: float
    table: Table


def execute(step: Step, function: Function, inputs: Mapping[str, Table | Folder], code: Project, store: Store, *, seed: int) -> Executed:
    """Run a step on its inputs, unless an execution with the same fingerprint is known.

    Raises:
        StepFailed: the function raised.
        UsageError: it did not return a frame, or wants a table where there are files.
    """
    taken = {name: inputs[name] for name in step.inputs}
    known_by = causes(code.reach(step.name), parameters={}, inputs={name: table.content for name, table in taken.items()}, seed=seed)
    print_of = store.put(canonical_json(known_by))
    known = store.recall(print_of)
    if known:
        frame = pl.read_ipc(io.BytesIO(store.get(known.output)))
        return Executed(step.name, print_of, True, known.seconds, Table(frame, known.content))
    start = machine_s()
    sow(seed)
    with ExitStack() as stack:
        given = {
            name: one.frame if isinstance(one, Table) else stack.enter_context(lent(one.files, store, one.place))
            for name, one in taken.items()
        }
        frame = call(step.name, function, given, code.root)
    table = Table(frame, of_frame(frame))
    seconds = machine_s() - start
    output = store.put(_bytes(frame))
    store.sync()
    store.remember(Execution(fingerprint=print_of, step=step.name, output=output, content=table.content, seconds=seconds))
    return Executed(step.name, print_of, False, seconds, table)


def call(name: str, function: Function, inputs: Mapping[str, pl.DataFrame | Path], root: Path) -> pl.DataFrame:
    """Call a user's step with frames as it annotates them, and with folders; what it returns, as a Polars frame.

    Raises:
        StepFailed: the function raised.
        UsageError: it did not return a frame, or one with two columns of the same name; or it wants a table where there are files.
    """
    given = {key: _given(name, function, key, value) for key, value in inputs.items()}
    try:
        with active(function):
            made = function(**given)
            if made is None:
                raise UsageError(f"step {name!r} returned None", mend="end the function with `return` and the frame that it made")
            return as_polars(made, source=f"step {name!r}")
    except UsageError:
        raise
    except Exception as fault:  # whatever the user's function raises, a lazy frame's collection included, is theirs to mend
        raise StepFailed(name, fault, root) from fault


def _given(step: str, function: Function, parameter: str, value: pl.DataFrame | Path) -> Any:
    """A frame or a folder as the step's parameter is annotated."""
    wanted = annotation(function, parameter)
    wants_folder = wanted in (Path, pathlib) or (isinstance(wanted, str) and wanted.strip("'\"") in ("Path", "pathlib.Path"))
    if isinstance(value, Path) and not wants_folder:
        raise UsageError(
            f"step {step!r} takes {parameter!r} as a table, and that dataset is files",
            mend=f"annotate it as what it gets, a folder: `{parameter}: Path`",
        )
    if isinstance(value, Path):
        return value
    if wants_folder:
        raise UsageError(
            f"step {step!r} takes {parameter!r} as a folder, and it is a table", mend=f"annotate it as a frame: `{parameter}: pl.DataFrame`"
        )
    return as_annotated(value, wanted)


def _bytes(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="lz4")
    return buffer.getvalue()
