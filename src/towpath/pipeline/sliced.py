"""The part of a module's source that some of its names need."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection

from towpath.pipeline.syntax import Module, bare, bound


def sliced(module: Module, names: Collection[str], kept: Collection[str], is_own: Callable[[str], bool]) -> str:
    """A module's source with the definitions and imports of ``names``, and whatever it does on import; without comments and docstrings.

    Args:
        kept: the modules of the project that are kept at all: a star from another one of its own falls away.
        is_own: whether a module is the project's.
    """
    body = [part for node in module.tree.body if (part := _part(node, names, kept, is_own, module)) is not None]
    return ast.unparse(bare(ast.Module(body=body, type_ignores=[]))) + "\n"


def _part(node: ast.stmt, names: Collection[str], kept: Collection[str], is_own: Callable[[str], bool], module: Module) -> ast.stmt | None:
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return node
    if isinstance(node, ast.Import):
        used = [alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) in names]
        there = [alias for alias in used if _is_there(alias.name, kept, is_own)]
        return ast.Import(there) if there else None
    if isinstance(node, ast.ImportFrom):
        is_there = _is_there(module.origin(node), kept, is_own)
        wanted = [alias for alias in node.names if (is_there if alias.name == "*" else (alias.asname or alias.name) in names)]
        return ast.ImportFrom(node.module, wanted, node.level) if wanted else None
    if any(node is effect for effect in module.effects) or any(name in names for name in bound(node)):
        return node
    return None


def _is_there(name: str, kept: Collection[str], is_own: Callable[[str], bool]) -> bool:
    return name in kept or not is_own(name)
