"""Calling a user's step: with what it takes as it annotates it, its faults told in its own lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from towpath.errors import UsageError
from towpath.pipeline.codecs import is_frame
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.functions import CHECKPOINT, Function, wants_checkpoint, wants_folder
from towpath.pipeline.graph import of_functions, plan
from towpath.pipeline.importing import active

NONE: Mapping[str, Any] = MappingProxyType({})


def call(
    name: str, function: Function, inputs: Mapping[str, Any], root: Path, parameters: Mapping[str, Any] = NONE, *, checkpoint: str = ""
) -> Any:
    """What a step makes of its inputs: tables are Polars frames, files a folder, anything else as another step made it.

    Args:
        checkpoint: the folder for a step that takes one; a temporary one, when left out.

    Raises:
        StepFailed: the function raised.
        UsageError: it wants a table where there are files, or files where there is a table.
    """
    given = {key: _given(name, function, key, value) for key, value in inputs.items()}
    try:
        with _own_folder(function, checkpoint) as own, active(function):
            made = function(**given, **parameters, **own)
            return made.collect() if is_frame(made) and type(made).__name__ == "LazyFrame" else made
    except UsageError:
        raise
    except (Exception, SystemExit) as fault:  # whatever the user's function raises, a lazy frame's collection included, is theirs to mend
        raise StepFailed.of(name, fault, root) from fault


@contextmanager
def _own_folder(function: Function, checkpoint: str) -> Iterator[dict[str, Path]]:
    """The checkpoint by its parameter, for a function that takes one."""
    if not wants_checkpoint(function):
        yield {}
    elif checkpoint:
        Path(checkpoint).mkdir(parents=True, exist_ok=True)
        yield {CHECKPOINT: Path(checkpoint)}
    else:
        with import_module("tempfile").TemporaryDirectory(prefix="towpath-checkpoint-") as folder:
            yield {CHECKPOINT: Path(folder)}


def in_memory(target: str, functions: Mapping[str, Function], given: Mapping[str, Any], root: Path) -> Any:
    """A table or folder that is given, or made by the steps that it needs, one after another in this process; nothing is kept.

    Raises as ``plan`` and ``call`` do.
    """
    made = dict(given)
    for step in plan([target], of_functions(functions), given, functions):
        value = call(step.name, functions[step.name], {parameter: made[name] for parameter, name in step.inputs.items()}, root)
        made[step.name] = import_module("towpath.pipeline.tables").frame_of(value, step.name) if is_frame(value) else value
    return made[target]


def _given(step: str, function: Function, parameter: str, value: Any) -> Any:
    if is_frame(value):
        return import_module("towpath.pipeline.tables").annotated(step, function, parameter, value)
    if isinstance(value, Path) and not wants_folder(function, parameter):
        tables = import_module("towpath.pipeline.tables")
        return tables.annotated(step, function, parameter, tables.of_files(value, f"what step {step!r} takes as {parameter!r}"))
    return value
