"""What a step takes, read from its source: nothing is imported, so that a run in which nothing changed loads no library."""

from __future__ import annotations

import ast

import msgspec

from towpath.errors import UsageError
from towpath.pipeline.code.reach import Project
from towpath.pipeline.code.syntax import Module
from towpath.pipeline.functions import CHECKPOINT

_Def = ast.FunctionDef | ast.AsyncFunctionDef


class Signature(msgspec.Struct, frozen=True):
    """``inputs`` name datasets or other steps, in order; ``parameters`` are keyword-only: hyperparameters, of which some are ``needed``."""

    inputs: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


def signature(code: Project, name: str) -> Signature | None:
    """What the pipeline's function ``name`` takes; None where the project has none such whose source says it.

    Raises:
        UsageError: it takes any number of values, so that they name nothing.
    """
    return signature_in(code, code.pipeline, name)


def signature_in(code: Project, module: Module, name: str) -> Signature | None:
    """As ``signature``, of another module that ``code`` has."""
    found = _definition(code, module, name, frozenset())
    return _signature(found[1]) if found else None


def definition(code: Project, name: str) -> tuple[Module, _Def] | None:
    """Where a function of the pipeline is written: in which module of the project, and how."""
    return _definition(code, code.pipeline, name, frozenset())


def public(code: Project) -> list[str]:
    """The names of functions that may be steps, for an error that names the nearest."""
    return public_in(code, code.pipeline)


def public_in(code: Project, module: Module) -> list[str]:
    """As ``public``, of another module that ``code`` has."""
    defined = [name for name, nodes in module.definitions.items() if isinstance(nodes[-1], _Def)]
    return [name for name in (*defined, *module.imports) if not name.startswith("_") and _definition(code, module, name, frozenset())]


def _definition(code: Project, module: Module, name: str, seen: frozenset[tuple[str, str]]) -> tuple[Module, _Def] | None:
    """Where a name is defined, through the project's own imports."""
    if (module.name, name) in seen:
        return None
    seen |= {(module.name, name)}
    if name in module.definitions:
        node = module.definitions[name][-1]
        return (module, node) if isinstance(node, _Def) else None
    origins = [*module.imports.get(name, ()), *((origin, name) for origin in module.stars)]
    for origin, inner in origins:
        other = code.module(origin)
        if other and inner and (found := _definition(code, other, inner, seen)):
            return found
    return None


def _signature(node: _Def) -> Signature:
    takes = node.args
    for many, stars in ((takes.vararg, "*"), (takes.kwarg, "**")):
        if many:
            raise UsageError(
                f"step {node.name!r} takes {stars}{many.arg}, which names no data",
                mend="write one parameter for each dataset or step, and keyword-only ones (after `*`) for hyperparameters",
            )
    keywords = [(one, default) for one, default in zip(takes.kwonlyargs, takes.kw_defaults, strict=True) if not _is_checkpoint(one)]
    return Signature(
        inputs=tuple(one.arg for one in (*takes.posonlyargs, *takes.args) if not _is_checkpoint(one)),
        parameters=tuple(one.arg for one, _ in keywords),
        needed=tuple(one.arg for one, default in keywords if default is None),
    )


def _is_checkpoint(one: ast.arg) -> bool:
    """Whether it takes a folder of the step's own, which is neither an input nor a parameter."""
    return one.arg == CHECKPOINT and one.annotation is not None and ast.unparse(one.annotation).strip("'") in ("Path", "pathlib.Path")
