"""Running a step, or taking what it made before."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from towpath.clock import machine_s
from towpath.data.content import of_frame
from towpath.digest import Digest
from towpath.formats.frames import as_annotated, as_polars
from towpath.pipeline.fingerprint import fingerprint
from towpath.pipeline.functions import Function, StepFailed
from towpath.pipeline.graph import Step
from towpath.pipeline.reach import Project
from towpath.store import Execution, Store


class Table(msgspec.Struct, frozen=True):
    """A frame and the canonical digest of what is in it."""

    frame: pl.DataFrame
    content: Digest


class Executed(msgspec.Struct, frozen=True):
    """What a step made; ``reused`` when it had made it before."""

    step: str
    fingerprint: Digest
    reused: bool
    seconds: float
    table: Table


def execute(step: Step, function: Function, inputs: Mapping[str, Table], code: Project, store: Store, *, seed: int) -> Executed:
    """Run a step on its inputs, unless an execution with the same fingerprint is known.

    Raises:
        StepFailed: the function raised.
        UsageError: it did not return a frame.
    """
    taken = {name: inputs[name] for name in step.inputs}
    print_of = fingerprint(code.reach(step.name), parameters={}, inputs={name: table.content for name, table in taken.items()}, seed=seed)
    known = store.recall(print_of)
    if known:
        frame = pl.read_ipc(io.BytesIO(store.get(known.output)))
        return Executed(step.name, print_of, True, known.seconds, Table(frame, known.content))
    start = machine_s()
    frame = call(step.name, function, {name: table.frame for name, table in taken.items()}, code.root)
    table = Table(frame, of_frame(frame))
    seconds = machine_s() - start
    buffer = io.BytesIO()
    frame.write_ipc(buffer, compression="lz4")
    output = store.put(buffer.getvalue())
    store.sync()
    store.remember(Execution(fingerprint=print_of, step=step.name, output=output, content=table.content, seconds=seconds))
    return Executed(step.name, print_of, False, seconds, table)


def call(name: str, function: Function, frames: Mapping[str, pl.DataFrame], root: Path) -> pl.DataFrame:
    """Call a user's step with frames as it annotates them; what it returns, as a Polars frame."""
    given: dict[str, Any] = {key: as_annotated(frame, function.__annotations__.get(key)) for key, frame in frames.items()}
    try:
        made = function(**given)
    except Exception as fault:  # whatever the user's function raises is theirs to mend
        raise StepFailed(name, fault, root) from fault
    return as_polars(made, source=name)
