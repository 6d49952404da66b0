"""What a function can reach: the project's own definitions by name, across modules, and the distributions they import.

Followed in the syntax trees alone, so nothing is run. A name that is looked up while running (``getattr`` with a variable,
``importlib``) cannot be followed: it is named as a weakness, never passed over in silence.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import msgspec

from towpath.errors import UsageError

UNFOLLOWED = {"getattr", "eval", "exec", "__import__", "globals", "import_module"}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign | ast.AugAssign


class Reached(msgspec.Struct, frozen=True):
    """``code`` maps ``module:name`` to a normal form of its syntax tree; ``imports`` are modules from outside the project."""

    code: dict[str, str]
    imports: frozenset[str]
    weaknesses: tuple[str, ...]


class Module:
    """One file of the project: its definitions by name, its imports, and what it does when it is imported."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self.file = name, file
        try:
            self.tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
        except SyntaxError as fault:
            raise UsageError(f"{file.name}:{fault.lineno}: {fault.msg}", mend="mend that line") from None

    @property
    def path(self) -> str:
        """Its path below the folder on the import path."""
        return self.name.replace(".", "/") + ("/__init__.py" if self.file.name == "__init__.py" else ".py")

    @cached_property
    def definitions(self) -> dict[str, list[Definition]]:
        """Top-level definitions; a name that is assigned several times has several."""
        found: dict[str, list[Definition]] = {}
        for node in self.tree.body:
            for name in _names(node):
                found.setdefault(name, []).append(node)  # type: ignore[arg-type]
        return found

    @cached_property
    def imports(self) -> dict[str, tuple[str, str]]:
        """Name here -> (module, name there); the second is empty where the module itself was imported."""
        found: dict[str, tuple[str, str]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {
                    alias.asname or alias.name.split(".")[0]: (alias.name if alias.asname else alias.name.split(".")[0], "")
                    for alias in node.names
                }
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                found |= {alias.asname or alias.name: (base, alias.name) for alias in node.names}
        return found

    @cached_property
    def effects(self) -> list[ast.stmt]:
        """Statements that run on import and define nothing."""
        defines = (
            ast.FunctionDef,
            ast.AsyncFunctionDef,
            ast.ClassDef,
            ast.Assign,
            ast.AnnAssign,
            ast.AugAssign,
            ast.Import,
            ast.ImportFrom,
        )
        return [node for node in self.tree.body if not isinstance(node, defines) and not _is_text(node)]

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        above = self.name.split(".")[: -node.level]
        return ".".join([*above, *([node.module] if node.module else [])])


class Project:
    """The modules of a project's tree, found by name below ``root``, or below the folder of its pipeline."""

    def __init__(self, root: Path, pipeline: str) -> None:
        self.root, self.home = root, (root / pipeline).parent
        self._modules: dict[str, Module | None] = {}
        self.pipeline = Module(".".join(Path(pipeline).with_suffix("").parts), root / pipeline)
        self._modules[self.pipeline.name] = self.pipeline

    def module(self, name: str) -> Module | None:
        """A module of the project, or None when the name is of one from outside."""
        if name not in self._modules:
            files = [base / Path(*name.split(".")).with_suffix(end) for base in (self.root, self.home) for end in (".py", "")]
            file = next((f if f.suffix else f / "__init__.py" for f in files if f.is_file() or (f / "__init__.py").is_file()), None)
            self._modules[name] = Module(name, file) if file else None
        return self._modules[name]

    def reach(self, function: str) -> Reached:
        """Everything that a function of the pipeline can reach."""
        walk = _Walk(self)
        walk.into(self.pipeline, function)
        return Reached(dict(sorted(walk.code.items())), frozenset(walk.outside), tuple(sorted(walk.weaknesses)))

    def slice(self, function: str) -> dict[str, bytes]:
        """Sources that hold what a function can reach and nothing else, by path relative to the folder on the import path.

        A server gets these for `features`: it imports what that function needs, not what training needs.
        """
        walk = _Walk(self)
        walk.into(self.pipeline, function)
        modules = [(module, walk.kept[name]) for name, module in self._modules.items() if module and name in walk.kept]
        return {module.path: _sliced(module, kept).encode() for module, kept in sorted(modules, key=lambda pair: pair[0].path)}


class _Walk:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.code: dict[str, str] = {}
        self.outside: set[str] = set()
        self.weaknesses: set[str] = set()
        self.kept: dict[str, set[str]] = {}

    def into(self, module: Module, name: str) -> None:
        key = f"{module.name}:{name}"
        if key in self.code:
            return
        if name in module.definitions or name in module.imports:
            self.kept.setdefault(module.name, set()).add(name)
        if name in module.definitions:
            nodes = module.definitions[name]
            self.code[key] = "\n".join(normal(node) for node in nodes)
            self._effects(module)
            for node in nodes:
                self._follow(module, node)
        elif name in module.imports:
            self._import(*module.imports[name])

    def whole(self, module: Module) -> None:
        for name in module.definitions:
            self.into(module, name)
        self._effects(module)

    def _effects(self, module: Module) -> None:
        key = f"{module.name}:<import>"
        if key not in self.code:
            self.code[key] = "\n".join(normal(node) for node in module.effects)
            for node in module.effects:
                self._follow(module, node)

    def _import(self, module: str, name: str) -> None:
        inside = self.project.module(module)
        if inside is None and name and (deeper := self.project.module(f"{module}.{name}" if module else name)):
            self.whole(deeper)
        elif inside is None:
            self.outside.add(module.split(".")[0])
        elif not name or name == "*":
            self.whole(inside)
        elif name in inside.definitions or name in inside.imports:
            self.into(inside, name)
        elif deeper := self.project.module(f"{module}.{name}"):
            self.whole(deeper)

    def _follow(self, module: Module, node: ast.AST) -> None:
        for name in _loaded(node):
            self.into(module, name)
            if name in UNFOLLOWED and name not in module.definitions:
                self.weaknesses.add(f"{module.file.name}:{_line(node)}: `{name}` looks something up while running, which is not followed")


def _sliced(module: Module, kept: set[str]) -> str:
    """A module's source with the definitions and imports that are kept, and whatever it does on import."""
    body = [part for node in module.tree.body if (part := _kept(node, kept, module)) is not None]
    return ast.unparse(_Bare().visit(ast.Module(body=body, type_ignores=[]))) + "\n"


def _kept(node: ast.stmt, kept: set[str], module: Module) -> ast.stmt | None:
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return node
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias for alias in node.names if alias.name == "*" or (alias.asname or alias.name.split(".")[0]) in kept]
        changed = ast.Import(names) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, names, node.level)
        return changed if names else None
    if any(node is effect for effect in module.effects):
        return node
    return node if any(name in kept for name in _names(node)) else None


def normal(node: ast.AST) -> str:
    """A syntax tree without comments, layout and docstrings, as text."""
    return ast.dump(_Bare().visit(ast.parse(ast.unparse(node))), annotate_fields=False)


class _Bare(ast.NodeTransformer):
    """Drops docstrings."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and _is_text(node.body[0]):
            node.body = node.body[1:] or [ast.Pass()]
        return node


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []
    for target in targets:
        yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def _loaded(node: ast.AST) -> list[str]:
    """Names that a definition may take from its module. A function's own parameters hide the module's names in its body."""
    attributes = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute) and part.attr in UNFOLLOWED}
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return sorted(_read(node) | attributes)
    given = node.args
    parameters = {one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg) if one}
    body = set().union(*map(_read, node.body)) - parameters
    return sorted(body.union(attributes, _read(given), *map(_read, node.decorator_list), _read(node.returns)))


def _read(node: ast.AST | None) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} if node else set()


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)
