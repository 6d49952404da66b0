"""Which names a statement binds, and what an import lets a name stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

Target = tuple[str, str]  # (module, name in it), the name empty where the module itself is meant
Chain = tuple[str, ...]  # how a name is used: ``u.a.b`` is ("a", "b"), and ``u`` by itself ()

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is a mere text."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def is_script(node: ast.stmt) -> bool:
    """Whether a statement only does something in a module that is started as a program."""
    return isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test) in ("__name__ == '__main__'", "'__main__' == __name__")


def bound(node: ast.AST) -> Iterator[str]:
    """The names that a statement at the top of a module binds, deletes or changes; inside of ``if``, ``for``, ``try`` and ``with`` too."""
    if isinstance(node, _Function | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            yield node.id
    elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        yield from (part.id for part in ast.walk(node.value) if isinstance(part, ast.Name))  # TABLE["x"] = 1 changes TABLE
    elif isinstance(node, _Comprehension | ast.Lambda):
        yield from (part.target.id for part in ast.walk(node) if isinstance(part, ast.NamedExpr))
    else:
        yield from filter(None, (getattr(node, field, None) for field in _BINDING.get(type(node), ())))
        for inner in ast.iter_child_nodes(node):
            yield from bound(inner)


_BINDING: dict[type[ast.AST], tuple[str, ...]] = {
    ast.ExceptHandler: ("name",),
    ast.MatchAs: ("name",),
    ast.MatchStar: ("name",),
    ast.MatchMapping: ("rest",),
}


def target_of(node: ast.ImportFrom, package: str) -> str:
    """The module that a statement in ``package`` imports from, by its whole name."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*filter(None, parts), *([node.module] if node.module else [])])


def dotted(node: ast.AST) -> tuple[str, Chain]:
    """``a.b.c`` as ("a", ("b", "c")); the name is empty where that is no name's: ``a().b.c``."""
    chain: list[str] = []
    while isinstance(node, ast.Attribute):
        chain.append(node.attr)
        node = node.value
    return node.id if isinstance(node, ast.Name) else "", tuple(reversed(chain))


class Import(NamedTuple):
    """One name that an import binds, ``*`` for all: what it stands for, the module that is loaded, and the import of it alone."""

    name: str
    target: Target
    loads: str
    text: str


def imports_of(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[Import]:
    """What an import in a module of ``package`` binds, by whole names."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            if alias.asname:
                yield Import(alias.asname, (alias.name, ""), alias.name, f"import {alias.name} as {alias.asname}")
            else:
                yield Import(top, (top, ""), alias.name, f"import {alias.name}")  # `import a.b` binds `a`
        return
    origin = target_of(node, package)
    for alias in node.names:
        inner = "" if alias.name == "*" else alias.name
        renamed = f" as {alias.asname}" if alias.asname and alias.asname != alias.name else ""
        yield Import(alias.asname or alias.name, (origin, inner), origin, f"from {origin} import {alias.name}{renamed}")
