"""What a function can reach: the project's own definitions by name, across modules, and the libraries they import.

Followed in the syntax trees alone, so nothing is run. What a reached module does on import besides defining names counts for everything
in it. What is looked up or read while running cannot be followed: it is named as a weakness, never passed over in silence.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from towpath.pipeline.places import module_name, places
from towpath.pipeline.sliced import sliced
from towpath.pipeline.syntax import Chain, Module, Target, chains_of, form, imports_of, names_of

_LOOKS_UP = {"getattr", "eval", "exec", "__import__", "globals", "vars", "import_module"}
_READS = {"open", "read_text", "read_bytes", "urlopen", "read_csv", "read_parquet", "scan_csv", "scan_parquet", "read_json", "read_sql"}
_EFFECTS = "<import>"


class Reached(msgspec.Struct, frozen=True):
    """``code`` maps ``module:name`` to a normal form of its syntax tree; ``imports`` are modules from outside the project."""

    code: dict[str, str]
    imports: frozenset[str]
    weaknesses: tuple[str, ...]


class Project:
    """The modules of a project's tree, found by name below ``root``, or below the folder of its pipeline."""

    def __init__(self, root: Path, pipeline: str) -> None:
        self.root, self._places = root, places(root, pipeline)
        self._modules: dict[str, Module | None] = {}
        self.pipeline = Module(module_name(pipeline), root / pipeline)
        self._modules[self.pipeline.name] = self.pipeline

    def module(self, name: str) -> Module | None:
        """A module of the project, or None when it has none of that name."""
        if name not in self._modules:
            file = self._places.file(name) if name else None
            self._modules[name] = Module(name, file) if file else None
        return self._modules[name]

    def is_own(self, name: str) -> bool:
        """Whether a module, or a folder of modules, of that name is the project's."""
        return self.module(name) is not None or bool(name and self._places.folders_of(name))

    def reach(self, function: str) -> Reached:
        """Everything that a function of the pipeline can reach."""
        walk = _Walk(self)
        walk.visit(self.pipeline.name, function)
        return Reached(dict(sorted(walk.code.items())), frozenset(walk.outside), tuple(sorted(walk.weaknesses)))

    def slice(self, function: str) -> dict[str, bytes]:
        """Sources that hold what a function can reach and nothing else, by path relative to the folder on the import path.

        A server gets these for `features`: it imports what that function needs, not what training needs.
        """
        walk = _Walk(self)
        walk.visit(self.pipeline.name, function)
        modules = {name: module for name in sorted(walk.kept) if (module := self.module(name))}
        return {module.path: sliced(module, walk.kept[name], set(modules), self.is_own).encode() for name, module in modules.items()}


class _Walk:
    """One walk along the names. ``kept`` are the names that a slice of each module needs."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.code: dict[str, str] = {}
        self.outside: set[str] = set()
        self.weaknesses: set[str] = set()
        self.kept: dict[str, set[str]] = {}
        self._seen: set[tuple[str, str, frozenset[Chain]]] = set()

    def visit(self, module_name: str, name: str, chains: Collection[Chain] = ((),)) -> bool:
        """Follow a name at the top of a module; False where the module has none such."""
        module = self._project.module(module_name)
        if module is None:
            return False
        self._enter(module)
        is_there = name in module.definitions or name in module.imports
        step = (module.name, name, frozenset(chains))
        if step in self._seen:
            return is_there
        self._seen.add(step)
        if is_there:
            self.kept[module.name].add(name)
        if name in module.imports:
            self._follow_imports(module, name, chains)
        key = f"{module.name}:{name}"
        if name in module.definitions and key not in self.code:
            self._follow(key, module, module.definitions[name])
        return is_there or any(self.visit(origin, name, chains) for origin in module.stars if self._star(module, name, origin))

    def _star(self, module: Module, name: str, origin: str) -> bool:
        """Whether a module may have ``name`` from ``origin`` by a star; one from outside may have any."""
        if not self._project.is_own(origin):
            self.outside.add(origin.partition(".")[0])
            return False
        return True

    def _enter(self, module: Module) -> None:
        if module.name in self.kept:
            return
        self.kept[module.name] = set()
        if module.effects:
            self._follow(f"{module.name}:{_EFFECTS}", module, module.effects)

    def _follow(self, key: str, module: Module, nodes: list[ast.stmt]) -> None:
        self.code[key] = "\n".join(form(node) for node in nodes)
        for node in nodes:
            for name in sorted(names_of(node)):
                self.visit(module.name, name, chains_of(node, name) or {()})
            for local, target in imports_of(node, module.package):
                self._follow_target(target, chains_of(node, local) or {()})
            self.weaknesses |= {f"{module.file.name}:{line}: {words}" for line, words in _blind_spots(node, module)}

    def _follow_imports(self, module: Module, name: str, chains: Collection[Chain]) -> None:
        for origin, inner in module.imports[name]:
            as_top = not inner and name == origin.partition(".")[0]  # `import a.b` binds `a`
            if not self._project.is_own(origin.partition(".")[0]):
                self.code[f"{module.name}:{name} of {origin}"] = (
                    f"import {origin} {inner}"  # np is numpy today, and may be another tomorrow
                )
            self._follow_target((name, "") if as_top and self._project.is_own(name) else (origin, inner), chains)

    def _follow_target(self, target: Target, chains: Collection[Chain]) -> None:
        origin, inner = target
        if not self._project.is_own(origin) and not self._project.is_own(origin.partition(".")[0]):
            self.outside.add(origin.partition(".")[0])
        elif not inner or not self.visit(origin, inner, chains):
            for chain in chains:
                self._follow_chain(f"{origin}.{inner}" if inner else origin, chain)

    def _follow_chain(self, base: str, chain: Chain) -> None:
        """``base.a.b``: the longest part that is a module, then a name in it; all of that module where none is named."""
        while chain and self._project.is_own(f"{base}.{chain[0]}"):
            base, chain = f"{base}.{chain[0]}", chain[1:]
        module = self._project.module(base)
        if module is None:
            return
        self._enter(module)
        if not chain or not self.visit(base, chain[0], {chain[1:]}):
            for name in (*module.definitions, *module.imports):
                self.visit(base, name)


def _blind_spots(node: ast.AST, module: Module) -> Iterator[tuple[int, str]]:
    """Calls that hide what a result depends on."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name in module.definitions or (name == "getattr" and len(call.args) > 1 and isinstance(call.args[1], ast.Constant)):
            continue
        if name in _LOOKS_UP:
            yield call.lineno, f"`{name}` looks something up while running, which is not followed"
        elif name in _READS:
            yield call.lineno, f"`{name}` reads what is not among the step's inputs"
