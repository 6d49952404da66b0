"""Why steps cannot be planned, with the line in the source, and what its author most likely meant."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from towpath.pipeline.code.reach import Project
from towpath.pipeline.graph import Circle, UnknownInput
from towpath.pipeline.signatures import definition


@contextmanager
def explained(code: Project) -> Iterator[None]:
    """What ``graph.plan`` raises within says where in ``code`` that is."""
    try:
        yield
    except UnknownInput as fault:
        fault.what = f"{_place(code, fault.needed_by)}{fault.what}"
        fault.mend = _behind_star(code, fault.needed_by, fault.name) or _no_function(code, fault.name) or fault.mend
        raise
    except Circle as fault:
        fault.what = f"{_place(code, fault.names[0])}{fault.what}"
        raise


def _place(code: Project, step: str) -> str:
    found = definition(code, step)
    return f"{found[0].path}:{found[1].lineno}: " if found else ""


def _behind_star(code: Project, step: str, parameter: str) -> str:
    """For a parameter that has a default, so that no data was meant."""
    found = definition(code, step)
    if found is None:
        return ""
    node, takes = found[1], found[1].args
    if parameter not in {one.arg for one in takes.args[len(takes.args) - len(takes.defaults) :]}:
        return ""
    plain = [one.arg for one in takes.args[: len(takes.args) - len(takes.defaults)]]
    last = takes.args[len(takes.args) - len(takes.defaults) :]
    keywords = [f"{one.arg}={ast.unparse(default)}" for one, default in zip(last, takes.defaults, strict=True)]
    return f"where it is a hyperparameter, write it behind `*`: `def {node.name}({', '.join([*plain, '*', *keywords])})`"


def _no_function(code: Project, name: str) -> str:
    """For a name that is bound to something else, such as a ``partial``."""
    found = code.pipeline.definitions.get(name)
    if not found or definition(code, name):
        return ""
    place = f"{code.pipeline.path}:{found[-1].lineno}"
    return f"{name!r} of {place} is not written as a function, whose parameters would say what it takes: write `def {name}(...)`"
