"""The modules of a project's tree, by the names under which its own code imports them."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

from towpath.pipeline.code.places import module_name, places
from towpath.pipeline.code.syntax import Module


class Tree:
    """The modules below ``root``, or below the folder of the file ``pipeline``; each is read once.

    Without a ``pipeline`` it is a project that has no function. ``only``: the one package that is its own, if others lie
    beside it.
    """

    def __init__(self, root: Path, pipeline: str, only: str = "") -> None:
        self._only = only
        self.root, self._places = root, places(root, pipeline)
        self.pipeline = Module(module_name(pipeline), root / pipeline) if pipeline else Module("", Path(os.devnull))
        self._modules: dict[str, Module | None] = {self.pipeline.name: self.pipeline}
        self._own: dict[str, bool] = {self.pipeline.name.partition(".")[0]: True}

    def module(self, name: str) -> Module | None:
        """A module of the project, or None when it has none of that name."""
        if name not in self._modules:
            file = self._places.file(name) if self._may_be(name) and self.is_own(name.partition(".")[0]) else None
            self._modules[name] = Module(name, file) if file else None
        return self._modules[name]

    def _may_be(self, name: str) -> bool:
        """Whether there can be a module of that name: below a module that is one file there is none."""
        above = self.module(name.rpartition(".")[0]) if "." in name else None
        return bool(name) and (above is None or above.file.name == "__init__.py")

    def is_own(self, name: str) -> bool:
        """Whether a module, or a folder of modules, of that name is the project's: as when its code is imported."""
        if name not in self._own:
            self._own[name] = bool(name) and self._is_own(name)
        return self._own[name]

    def _is_own(self, name: str) -> bool:
        top = name.partition(".")[0]
        if top != name and not (self.is_own(top) and self._may_be(name)):
            return False
        if top == name and (top in sys.stdlib_module_names or self._only not in ("", top)):
            return False
        if self._places.file(name):
            return True
        return bool(self._places.folders_of(name)) and (top != name or not _is_installed(top))

    def above(self, name: str) -> list[Module]:
        """The packages that are imported before a module of this name, outermost first."""
        parts = name.split(".")
        return [module for end in range(1, len(parts)) if (module := self.module(".".join(parts[:end])))]

    def below(self, name: str) -> list[Module]:
        """The modules in the package, or folder, of this name."""
        folders = self._places.folders_of(name)
        files = {file.relative_to(folder).with_suffix("").parts for folder in folders for file in folder.rglob("*.py")}
        names = {".".join((name, *(part for part in parts if part != "__init__"))) for parts in files}
        return [module for each in sorted(names - {name}) if (module := self.module(each))]


@cache
def _is_installed(top: str) -> bool:
    found = PathFinder.find_spec(top)  # an installed package goes before a mere folder, as everywhere in Python
    return found is not None and found.loader is not None
