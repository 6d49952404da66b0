"""The part of a module's source that some of its statements need."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator

from towpath.pipeline.code.names import Import, imports_of
from towpath.pipeline.code.syntax import Module, Piece, is_future


def sliced(module: Module, pieces: Collection[Piece], is_there: Callable[[Import], bool], beside: Callable[[Import], list[str]]) -> str:
    """A module's source with some of its statements; without comments and docstrings.

    Args:
        is_there: whether what is imported is from outside the project, or kept: a star from another one falls away.
        beside: the modules that an import brings along and that do something to what others made.
    """
    places = {piece.place for piece in pieces if not piece.alone}
    names = {(piece.place, piece.binds[0]) for piece in pieces if piece.alone}
    body: list[ast.stmt] = []
    for place, node in enumerate(module.tree.body):
        if is_future(node) or not isinstance(node, ast.Import | ast.ImportFrom):
            body += [node] if place in places or is_future(node) else []
            continue
        for alias, one in zip(node.names, imports_of(node, module.package), strict=True):
            is_kept = is_there(one) and (one.name == "*" or (place, one.name) in names)
            body += [_alone(name) for name in beside(one) if not (is_kept and name == one.loads)]
            body += [_with(node, alias)] if is_kept else []
    return ast.unparse(ast.Module(body=list(_joined(body)), type_ignores=[])) + "\n"


def _alone(name: str) -> ast.stmt:
    return ast.Import([ast.alias(name, f"_imported_{name.replace('.', '_')}")])


def _with(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    return ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], node.level)


def _joined(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Imports from one module that follow each other, as one."""
    last: ast.stmt | None = None
    for node in body:
        if (
            isinstance(node, ast.ImportFrom)
            and isinstance(last, ast.ImportFrom)
            and _origin(node) == _origin(last)
            and _names_all(node, last)
        ):
            last.names.extend(node.names)
            continue
        last = node
        yield node


def _origin(node: ast.ImportFrom) -> tuple[str | None, int]:
    return node.module, node.level


def _names_all(*nodes: ast.ImportFrom) -> bool:
    return not any(alias.name == "*" for node in nodes for alias in node.names)
