"""A module as its syntax tree: which statements define which name, what they use, and their form without comments and layout."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from towpath.errors import UsageError

Target = tuple[str, str]  # (module, name in it), the name empty where the module itself is meant
Chain = tuple[str, ...]  # how a name is used: ``u.a.b`` is ("a", "b"), and ``u`` by itself ()

_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.AugAssign)


class Module:
    """One file of the project."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self.file = name, file
        try:
            self.tree = ast.parse(file.read_bytes(), filename=str(file))
        except SyntaxError as fault:
            raise UsageError(f"{file.name}:{fault.lineno}: {fault.msg}", mend="mend that line") from None

    @property
    def path(self) -> str:
        """Its path below the folder on the import path."""
        return self.name.replace(".", "/") + ("/__init__.py" if self.file.name == "__init__.py" else ".py")

    @property
    def package(self) -> str:
        """What relative imports start from."""
        return self.name if self.file.name == "__init__.py" else self.name.rpartition(".")[0]

    @cached_property
    def definitions(self) -> dict[str, list[ast.stmt]]:
        """The statements that bind each name at the top; several where it is bound several times. Imports are apart."""
        found: dict[str, list[ast.stmt]] = {}
        for node in self.tree.body:
            for name in dict.fromkeys(bound(node)):
                found.setdefault(name, []).append(node)
        return found

    @cached_property
    def effects(self) -> list[ast.stmt]:
        """Statements that do something on import besides defining names; what only runs as a script is left out."""
        return [node for node in self.tree.body if not isinstance(node, _DEFINES) and not is_docstring(node) and not _is_script(node)]

    @cached_property
    def imports(self) -> dict[str, list[Target]]:
        """What each imported name stands for; several where ``import a.b`` and ``import a.c`` both bind ``a``."""
        found: dict[str, list[Target]] = {}
        for node in self.tree.body:
            if not _is_script(node):
                for name, target in imports_of(node, self.package, within_functions=False):
                    found.setdefault(name, []).append(target)
        return found

    @cached_property
    def stars(self) -> list[str]:
        """Modules from which everything is imported."""
        nodes = [node for node in ast.walk(self.tree) if isinstance(node, ast.ImportFrom)]
        return [self.origin(node) for node in nodes if any(alias.name == "*" for alias in node.names)]

    def origin(self, node: ast.ImportFrom) -> str:
        """The module that a statement of this one imports from, by its whole name."""
        return _absolute(node, self.package)


def form(node: ast.AST) -> str:
    """A syntax tree as text, without comments, layout and docstrings.

    >>> form(ast.parse("x = (1)  # one")) == form(ast.parse("x=1"))
    True
    """
    return ast.dump(bare(node), annotate_fields=False)


def bare(node: ast.AST) -> ast.Module:
    """A copy without docstrings."""
    copy = ast.parse(ast.unparse(node))
    for inner in ast.walk(copy):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and is_docstring(inner.body[0]):
            inner.body = inner.body[1:] or [ast.Pass()]
    return copy


def is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is a mere text."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_script(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).replace('"', "'") == "__name__ == '__main__'"


def bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a module defines; inside of ``if``, ``for``, ``try`` and ``with`` too."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif not isinstance(node, ast.Import | ast.ImportFrom) and not _is_script(node):
        yield from _stored(node)


def _stored(node: ast.AST) -> Iterator[str]:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store | ast.Del):
            yield inner.id
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield inner.name
        elif isinstance(inner, ast.Subscript | ast.Attribute) and isinstance(inner.ctx, ast.Store):
            yield from (part.id for part in ast.walk(inner.value) if isinstance(part, ast.Name))  # TABLE["x"] = 1 changes TABLE
        elif not isinstance(inner, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            yield from _stored(inner)


def imports_of(node: ast.AST, package: str, *, within_functions: bool = True) -> Iterator[tuple[str, Target]]:
    """The names that import statements in ``node`` bind, and what they stand for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0], (alias.name, "")
    elif isinstance(node, ast.ImportFrom):
        if node.module != "__future__":
            origin = _absolute(node, package)
            yield from ((alias.asname or alias.name, (origin, "" if alias.name == "*" else alias.name)) for alias in node.names)
    elif within_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for inner in ast.iter_child_nodes(node):
            yield from imports_of(inner, package, within_functions=within_functions)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*filter(None, parts), *([node.module] if node.module else [])])


def names_of(node: ast.stmt) -> set[str]:
    """The names that a statement takes from its module: not its parameters and other locals."""
    tables = [symtable.symtable(ast.unparse(node), "piece", "exec")]
    found = {symbol.get_name() for symbol in tables[0].get_symbols() if symbol.is_referenced()}
    while tables:
        table = tables.pop()
        tables += table.get_children()
        found |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return found


def chains_of(node: ast.AST, name: str) -> set[Chain]:
    """How ``name`` is used in ``node``: the attributes that are asked of it.

    >>> sorted(chains_of(ast.parse("f(u.a.b, u)"), "u"))
    [(), ('a', 'b')]
    """
    found: set[Chain] = set()
    seen: set[ast.AST] = set()
    for outer in ast.walk(node):  # from the outside in, so that a chain is seen whole before its parts
        chain: list[str] = []
        inner = outer
        while isinstance(inner, ast.Attribute):
            chain.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id == name and inner not in seen:
            seen.add(inner)
            found.add(tuple(chain))
    return found
