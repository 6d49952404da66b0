"""The graph of the steps, read from their signatures: a parameter names a dataset or another step."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping

import msgspec

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.functions import Function


class Step(msgspec.Struct, frozen=True):
    """One step and what it takes, in the order of its parameters."""

    name: str
    inputs: tuple[str, ...]


def plan(target: str, functions: Mapping[str, Function], datasets: Collection[str]) -> list[Step]:
    """The steps that make ``target``, each behind those that it needs; empty when ``target`` is a dataset.

    Raises:
        UnknownName: a parameter names neither a dataset nor a step.
        UsageError: steps need each other in a circle, or a dataset and a step that is needed have one name.
    """
    order: list[Step] = []
    _visit(target, functions, datasets, order, ())
    return order


def _visit(name: str, functions: Mapping[str, Function], datasets: Collection[str], order: list[Step], path: tuple[str, ...]) -> None:
    if name in path:
        raise UsageError(
            f"steps need each other: {' -> '.join([*path[path.index(name) :], name])}", mend="take one of these parameters away"
        )
    if name in datasets and name in functions:
        raise UsageError(f"{name!r} is a dataset and a function of the pipeline", mend="rename one of them: parameters name either")
    if name in datasets or any(step.name == name for step in order):
        return
    if name not in functions:
        raise UnknownName(f"dataset or step (needed by {path[-1]!r})" if path else "dataset or step", name, [*datasets, *functions])
    inputs = tuple(inputs_of(functions[name]))
    for needed in inputs:
        _visit(needed, functions, datasets, order, (*path, name))
    order.append(Step(name, inputs))


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
