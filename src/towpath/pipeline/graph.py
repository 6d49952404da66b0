"""The graph of the steps, read from their signatures: a parameter names a dataset or another step."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.functions import CHECKPOINT, Function, wants_checkpoint
from towpath.pipeline.importing import written
from towpath.pipeline.work import Call, Work


class Step(msgspec.Struct, frozen=True):
    """One step: what it does, with which parameters, and of what.

    ``inputs``: by the name under which the work takes it, the dataset or the step whose value that is, or the path of files of the project.
    ``parts``: by the same names, the path of the only part that is taken, where that value is files.
    """

    name: str
    inputs: dict[str, str]
    work: Work
    parameters: dict[str, Any] = {}
    parts: dict[str, str] = {}

    @classmethod
    def of(cls, name: str, inputs: Iterable[str]) -> Step:
        """The step that calls the function of its own name, whose parameters name what they take."""
        return cls(name, {one: one for one in inputs}, Call(name))


class UnknownInput(UnknownName):
    """A step that is ``needed_by`` another, or by the project, is not there."""

    def __init__(self, name: str, needed_by: str, known: Iterable[str]) -> None:
        self.needed_by = needed_by
        super().__init__(f"dataset or step (needed by {needed_by!r})" if needed_by else "dataset or step", name, known)


class Circle(UsageError):
    """Steps need each other: each of ``names`` the next, and the last the first."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(f"steps need each other: {' -> '.join([*names, names[0]])}", mend="take one of these parameters away")


class Described(Protocol):
    """The steps that there are."""

    def __call__(self, name: str) -> Step | None:
        """A step by name; None where there is no such step."""
        ...


def plan(targets: Iterable[str], described: Described, datasets: Collection[str], known: Collection[str] = ()) -> list[Step]:
    """The steps that make ``targets``, each behind those that it needs; none for a target that is a dataset.

    Args:
        known: names of steps, for an error that names the nearest.

    Raises:
        UnknownInput: a parameter names neither a dataset nor a step.
        Circle: steps need each other.
        UsageError: a dataset and a step that is needed have one name.
    """
    order: dict[str, Step] = {}
    path: dict[str, Step | None] = {"": None}  # the steps on the way down; a list of our own, as a chain may be longer
    rest: list[Iterator[str]] = [iter(targets)]  # than Python's stack
    while path:
        name = next(reversed(path))
        needed = next(rest[-1], None)
        if needed is None:
            rest.pop()
            if step := path.pop(name):
                order[name] = step
        elif needed in path:
            raise Circle([*path][[*path].index(needed) :])
        elif needed not in order and (step := _step(needed, name, described, datasets, known)):
            path[needed] = step
            rest.append(iter(step.inputs.values()))
    return list(order.values())


def _step(name: str, needed_by: str, described: Described, datasets: Collection[str], known: Collection[str]) -> Step | None:
    """A step by name; None for a dataset."""
    step = described(name)
    if name in datasets:
        if step is not None:
            raise UsageError(f"{name!r} is a dataset and a function of the pipeline", mend="rename one of them: parameters name either")
        return None
    if step is None:
        raise UnknownInput(name, needed_by, [*datasets, *known])
    return step


def of_functions(functions: Mapping[str, Function]) -> Described:
    """Loaded functions as steps."""
    return lambda name: Step.of(name, inputs_of(functions[name])) if name in functions else None


def inputs_of(function: Function) -> list[str]:
    """The parameters that take data: all but keyword-only ones.

    Raises:
        UsageError: a parameter takes any number of values, so that it names nothing.
    """
    found = []
    for name, parameter in _parameters(function).items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise UsageError(
                f"step {function.__name__!r} takes {parameter}, which names no data",
                mend="write one parameter for each dataset or step, and keyword-only ones (after `*`) for hyperparameters",
            )
        if parameter.kind is not parameter.KEYWORD_ONLY:
            found.append(name)
    return found


def defaults_of(function: Function) -> dict[str, object]:
    """Keyword-only parameters, which are hyperparameters, with their defaults."""
    parameters = _parameters(function).values()
    return {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY and one.default is not one.empty}


def _parameters(function: Function) -> dict[str, inspect.Parameter]:
    """Those that are given a value: all but that of a checkpoint."""
    parameters = dict(inspect.signature(written(function)).parameters)
    if wants_checkpoint(function):
        del parameters[CHECKPOINT]
    return parameters


def hyperparameters_of(function: Function) -> list[str]:
    """Keyword-only parameters, with a default or without."""
    return [one.name for one in _parameters(function).values() if one.kind is one.KEYWORD_ONLY]
