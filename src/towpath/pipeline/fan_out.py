"""A step that is made for each value of a column by itself: its table is split, each part is a step, and what they make is gathered.

The steps of ``model`` over ``month`` are called ``model[each]``, ``model[2013-01]`` and so on, and ``model``. Which parts there are is
known when the table is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from towpath.digest import canonical_json, of_value
from towpath.errors import UsageError
from towpath.pipeline import codecs
from towpath.pipeline.folders import files_value
from towpath.pipeline.graph import Step
from towpath.pipeline.values import Parts, Value
from towpath.pipeline.work import Call, Each, Gather, Split, Use
from towpath.store import Store, trees

_SPLIT = "[each]"
_TABLE = "table"


def whole_of(name: str) -> str:
    """The declared step that a step belongs to.

    >>> whole_of("model[2013-01]"), whole_of("model")
    ('model', 'model')
    """
    return name.partition("[")[0] if name.endswith("]") else name


def is_split(name: str) -> bool:
    """Whether a step of that name splits the table of another."""
    return name.endswith(_SPLIT)


def is_part(name: str, whole: str) -> bool:
    """Whether a step of that name is a part of the step ``whole``."""
    return name.startswith(f"{whole}[") and name.endswith("]") and not is_split(name)


def over(step: Step, column: str) -> tuple[Step, Step]:
    """The two steps that stand for one over the values of a column, until its parts are known. Its first input is split.

    Raises ValueError where it is no function.
    """
    if not isinstance(step.work, Call | Use):
        raise ValueError(f"{step.name} is no function")
    first, source = next(iter(step.inputs.items()))
    split = Step(
        step.name + _SPLIT, {_TABLE: source}, Split(step.name, column), {}, {_TABLE: step.parts[first]} if first in step.parts else {}
    )
    others = {name: part for name, part in step.parts.items() if name != first}
    return split, Step(step.name, {**step.inputs, first: split.name}, Each(step.work, first), step.parameters, others)


def spread(step: Step, each: Each, value: Value, store: Store) -> tuple[dict[str, Value], list[Step], Step]:
    """When the parts are known: their tables by names of their own, a step for each, and the step that gathers what these make."""
    tables, steps = {}, []
    for label, part in msgspec.json.decode(store.get(value.output), type=Parts).parts:
        name = f"{step.name}[{label}]"
        tables[f"{name}{_SPLIT}"] = part
        steps.append(Step(name, {**step.inputs, each.parameter: f"{name}{_SPLIT}"}, each.work, step.parameters, step.parts))
    return tables, steps, Step(step.name, {one.name: one.name for one in steps}, Gather())


def split(step: str, asked: Split, table: Value, store: Store, place: Path) -> Value:
    """The parts of a table, each kept as a table of its own.

    Raises:
        UsageError: it is no table, has no rows, or not that column; or the column's values name nothing.
    """
    tables = import_module("towpath.pipeline.tables")
    with ExitStack() as stack:
        given = codecs.give(table, store, place, stack)
        frame = tables.of_files(given, f"what step {asked.step!r} takes") if isinstance(given, Path) else given
        if not codecs.is_frame(frame):
            what = f"step {asked.step!r} is to be made for each {asked.column!r}, and what it takes first is no table"
            raise UsageError(what, mend="let its first parameter take a table, or leave `each` out")
        parts = [(label, codecs.keep(part, store, step=step)) for label, part in tables.split(frame, asked.column, asked.step)]
    content = of_value(["parts", 1, [[label, part.content] for label, part in parts]])
    return Value("parts", store.put(canonical_json(Parts(parts))), content)


def gather(step: str, made: dict[str, Value], store: Store, place: Path) -> Value:
    """What parts made: tables one under another, files with a folder for each, anything else as a dict by the parts' values.

    Raises UsageError where the tables have not the same columns, or files are among other things.
    """
    by_label = {name.partition("[")[2][:-1]: value for name, value in made.items()}
    kinds = {value.codec for value in by_label.values()}
    if kinds == {"files"}:
        return files_value(list(_files(by_label, store)), store)
    if "files" in kinds:
        raise UsageError(f"some parts of step {step!r} made files and some did not", mend="let it return the same kind of thing for each")
    with ExitStack() as stack:
        given: dict[str, Any] = {label: codecs.give(value, store, place, stack) for label, value in by_label.items()}
    together = import_module("towpath.pipeline.tables").stacked(given, step) if kinds == {"table"} else given
    return codecs.keep(together, store, step=step)


def _files(made: dict[str, Value], store: Store) -> Iterator[trees.FileEntry]:
    for label, value in made.items():
        yield from (file._replace(path=f"{label}/{file.path}") for file in trees.files(store, value.output))
