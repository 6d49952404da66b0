"""Performing a task: the same in a worker process, in this one, or on another machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from towpath.clock import machine_s
from towpath.errors import TowpathError
from towpath.pipeline import codecs, fan_out, functions
from towpath.pipeline.calling import call
from towpath.pipeline.errors import StepFailed, whole_trace
from towpath.pipeline.executor import Done, Fault, Task
from towpath.pipeline.functions import Function
from towpath.pipeline.seeds import sow
from towpath.pipeline.values import Value
from towpath.pipeline.work import Call, Command, Commands, Each, Gather, Split, Use
from towpath.store import Store

_BY: Mapping[type, str] = MappingProxyType(
    {Command: "towpath.pipeline.commands.command", Commands: "towpath.pipeline.commands.in_tree"}
)  # loaded for commands alone: a worker of functions is there sooner without what starts programs
_latest: list[tuple[Value, bytes | str]] = []


def perform(task: Task, store: Store, place: Path) -> Done:
    """Execute a step. Files that it takes are lent to it below ``place``. Whatever goes wrong is told, not raised."""
    begin = machine_s()
    try:
        value = _made(task, store, place)
    except (TowpathError, MemoryError, OSError) as fault:
        return Done(step=task.step, seconds=machine_s() - begin, fault=_told(task, fault))
    return Done(step=task.step, seconds=machine_s() - begin, value=value)


def _told(task: Task, fault: TowpathError | MemoryError | OSError) -> Fault:
    if isinstance(fault, TowpathError):
        trace = fault.trace if isinstance(fault, StepFailed) else ""
        theirs = fault.__cause__ if isinstance(fault, StepFailed) else None
        if theirs:
            _log(task, whole_trace(theirs))
        kind = type(theirs or fault)
        return Fault(what=fault.what, mend=fault.mend, trace=trace, kinds=_kinds(kind))
    if isinstance(fault, MemoryError):
        what, mend = "memory ran out", "give it fewer rows or the machine more memory"
    else:
        what, mend = str(fault), "look at the disk's free space and at who may write there, then run again"
    where = f"while what step {task.step!r} takes was read, or what it made was kept"
    return Fault(what=f"{where}: {what}", mend=mend, kinds=_kinds(type(fault)))


def _log(task: Task, text: str) -> None:
    """Add to the step's log, behind what it printed."""
    sys.stdout.flush()
    with suppress(OSError), open(task.log or os.devnull, "a", encoding="utf-8", errors="replace") as log:
        log.write(text)


def _kinds(kind: type[BaseException]) -> tuple[str, ...]:
    return tuple(one.__name__ for one in kind.__mro__)


def _made(task: Task, store: Store, place: Path) -> Value:
    match task.work:
        case Call(function):
            return _called(task, functions.named(_functions(task.tree, task.pipeline), function), Path(task.tree), store, place)
        case Use(module, function):
            return _called(task, *functions.installed(module, function), store, place)
        case Command() | Commands() as asked:
            commanded: Value = import_module(_BY[type(asked)]).made(task, asked, store, place)
            return commanded
        case Split() as asked_for:
            return fan_out.split(task.step, asked_for, task.inputs["table"], store, place)
        case Gather():
            return fan_out.gather(task.step, task.inputs, store, place)
        case Each():
            raise ValueError(f"step {task.step!r} is made in parts, each of which is a task")


def _called(task: Task, function: Function, root: Path, store: Store, place: Path) -> Value:
    for library in task.libraries:
        with suppress(ImportError):
            import_module(library)
    sow(task.seed)
    with ExitStack() as stack:
        given = {name: _given(value, store, place, stack) for name, value in task.inputs.items()}
        made = call(task.step, function, given, root, task.parameters, checkpoint=task.checkpoint)
        value = codecs.keep(made, store, step=task.step)
        if type(made) in (bytes, str):
            _latest[:] = [(value, made)]
        return value


def _given(value: Value, store: Store, place: Path, stack: ExitStack) -> Any:
    """What a step gets: of the value that this process made last, if nobody can have changed it, without reading it again."""
    return next((made for known, made in _latest if known == value), None) or codecs.give(value, store, place, stack)


@cache
def _functions(tree: str, pipeline: str) -> dict[str, Function]:
    """Imported once a process: the tree of a run does not change."""
    return functions.load(Path(tree), pipeline)
