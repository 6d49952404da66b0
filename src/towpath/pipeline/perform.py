"""Performing a task: the same in a worker process, in this one, or on another machine."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import cache
from importlib import import_module
from pathlib import Path

from towpath.clock import machine_s
from towpath.errors import TowpathError
from towpath.pipeline import codecs, functions
from towpath.pipeline.calling import call
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.executor import Done, Fault, Task
from towpath.pipeline.functions import Function
from towpath.pipeline.seeds import sow
from towpath.pipeline.values import Value
from towpath.store import Store


def perform(task: Task, store: Store, place: Path) -> Done:
    """Execute a step. Files that it takes are lent to it below ``place``. Whatever goes wrong is told, not raised."""
    begin = machine_s()
    try:
        value = _made(task, store, place)
    except TowpathError as fault:
        theirs = fault if isinstance(fault, StepFailed) else StepFailed(task.step, fault.what, mend=fault.mend)
        kinds = tuple(kind.__name__ for kind in type(theirs.__cause__ or fault).__mro__)
        told = Fault(what=fault.what, mend=fault.mend, trace=theirs.trace, kinds=kinds)
        return Done(step=task.step, seconds=machine_s() - begin, fault=told)
    return Done(step=task.step, seconds=machine_s() - begin, value=value)


def _made(task: Task, store: Store, place: Path) -> Value:
    function = functions.named(_functions(task.tree, task.pipeline), task.step)
    for library in task.libraries:
        with suppress(ImportError):
            import_module(library)
    sow(task.seed)
    with ExitStack() as stack:
        given = {name: codecs.give(value, store, place, stack) for name, value in task.inputs.items()}
        return codecs.keep(call(task.step, function, given, Path(task.tree)), store, step=task.step)


@cache
def _functions(tree: str, pipeline: str) -> dict[str, Function]:
    """Imported once a process: the tree of a run does not change."""
    return functions.load(Path(tree), pipeline)
