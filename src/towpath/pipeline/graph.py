"""The graph of the steps, read from their signatures: a parameter names a dataset or another step."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.functions import Function


class Step(msgspec.Struct, frozen=True):
    """One step and what it takes, in the order of its parameters."""

    name: str
    inputs: tuple[str, ...]


class Takes(Protocol):
    """What the steps take."""

    def __call__(self, name: str) -> Sequence[str] | None:
        """The inputs of a step by name; None where there is no such step."""
        ...


def plan(targets: Iterable[str], takes: Takes, datasets: Collection[str], known: Collection[str] = ()) -> list[Step]:
    """The steps that make ``targets``, each behind those that it needs; none for a target that is a dataset.

    Args:
        known: names of steps, for an error that names the nearest.

    Raises:
        UnknownName: a parameter names neither a dataset nor a step.
        UsageError: steps need each other in a circle, or a dataset and a step that is needed have one name.
    """
    order: dict[str, Step] = {}
    path: dict[str, Sequence[str]] = {"": tuple(targets)}  # the steps on the way down; a list of our own, as a chain may be longer
    rest = [iter(path[""])]  # than Python's stack
    while path:
        name = next(reversed(path))
        needed = next(rest[-1], None)
        if needed is None:
            rest.pop()
            order[name] = Step(name, tuple(path.pop(name)))
        elif needed in path:
            raise _circle([*path], needed)
        elif needed not in order and (inputs := _inputs(needed, name, takes, datasets, known)) is not None:
            path[needed] = inputs
            rest.append(iter(inputs))
    del order[""]
    return list(order.values())


def _inputs(name: str, needed_by: str, takes: Takes, datasets: Collection[str], known: Collection[str]) -> Sequence[str] | None:
    """What a step takes; None for a dataset."""
    inputs = takes(name)
    if name in datasets:
        if inputs is not None:
            raise UsageError(f"{name!r} is a dataset and a function of the pipeline", mend="rename one of them: parameters name either")
        return None
    if inputs is None:
        what = f"dataset or step (needed by {needed_by!r})" if needed_by else "dataset or step"
        raise UnknownName(what, name, [*datasets, *known])
    return inputs


def _circle(path: list[str], name: str) -> UsageError:
    return UsageError(f"steps need each other: {' -> '.join([*path[path.index(name) :], name])}", mend="take one of these parameters away")


def of_functions(functions: Mapping[str, Function]) -> Takes:
    """What loaded functions take."""
    return lambda name: inputs_of(functions[name]) if name in functions else None


def inputs_of(function: Function) -> list[str]:
    """The parameters that take data: all but keyword-only ones.

    Raises:
        UsageError: a parameter takes any number of values, so that it names nothing.
    """
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
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
    signature = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in signature if one.kind is one.KEYWORD_ONLY and one.default is not one.empty}
