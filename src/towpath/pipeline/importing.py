"""Importing a tree's own modules beside whatever else this process has imported under the same names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from inspect import isclass, isfunction, ismodule, unwrap
from threading import RLock
from types import CellType, CodeType, ModuleType
from typing import Any

from towpath.digest import of_value
from towpath.pipeline.code.places import Places

_importing = RLock()
DEEPEST = 4  # decorators, one around the other


class Imports:
    """A tree's modules. They answer imports only inside ``active``, so that two commits can be loaded at once.

    Nothing is written beside the sources, and no compiled form is read: what runs is what the files say now.
    """

    def __init__(self, where: Places, pipeline: str) -> None:
        self._places = where
        self._owned = {pipeline.partition(".")[0]: True}  # what lies around the pipeline is the tree's, whatever else has that name
        self.modules: dict[str, ModuleType] = {}

    @contextmanager
    def active(self) -> Iterator[None]:
        """While this lasts, the tree's module names mean this tree; afterwards each means what it meant before."""
        with _importing:
            before = {name: module for name, module in sys.modules.items() if self._owns(name)}
            _exchange(before, self.modules)
            sys.meta_path.insert(0, self)
            try:
                yield
            finally:
                sys.meta_path.remove(self)
                self.modules = {name: module for name, module in sys.modules.items() if self._owns(name)}
                _exchange(self.modules, before)

    def load(self, name: str) -> ModuleType:
        """Import a module, and give what it and its neighbours define a lasting name, so that their objects can be pickled.

        The lasting name follows from the sources alone: the same code gives the same pickles, whichever folder it lay in.
        """
        with self.active():
            module = import_module(name)
        sources = {each: _source(own) for each, own in self.modules.items()}
        of_code = of_value(sources)[:12]
        for each, own in self.modules.items():
            lasting = f"towpath_project_{of_code}_{each.replace('.', '_')}"  # without dots: nothing needs to stand above it
            sys.modules[lasting] = own
            for value in vars(own).values():
                if (isclass(value) or isfunction(value)) and value.__module__ == each:
                    value.__module__ = lasting
        return module

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not self._owns(fullname):
            return None
        file = self._places.file(fullname)
        if file:
            inside = [str(file.parent)] if file.name == "__init__.py" else None
            return spec_from_file_location(fullname, file, loader=_Loader(fullname, str(file), self), submodule_search_locations=inside)
        folders = [str(folder) for folder in self._places.folders_of(fullname)]
        if not folders:
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = folders
        return spec

    def _owns(self, name: str) -> bool:
        top = name.partition(".")[0]
        if top not in self._owned:
            self._owned[top] = self._is_own(top)
        return self._owned[top]

    def _is_own(self, top: str) -> bool:
        if top in sys.stdlib_module_names:
            return False
        if self._places.file(top):
            return True
        if not self._places.folders_of(top):
            return False
        installed = PathFinder.find_spec(top)  # an installed package goes before a mere folder, as everywhere in Python
        return installed is None or installed.loader is None


class _Loader(SourceFileLoader):
    """Compiles the source each time: a compiled form is told from a stale one by whole seconds, which is too coarse."""

    def __init__(self, name: str, path: str, imports: Imports) -> None:
        super().__init__(name, path)
        self.imports = imports

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def active(function: Callable[..., Any]) -> AbstractContextManager[None]:
    """While this lasts, what ``function`` imports when it is called is found in its own tree."""
    loader = _loader(written(function))
    return loader.imports.active() if loader else nullcontext()


def written(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as its tree has it, below what decorators of libraries made of it; what is of no tree, as it is."""
    inner = unwrap(function)
    return next(_own_in(inner, DEEPEST), inner)


def _own_in(value: Any, depth: int) -> Iterator[Callable[..., Any]]:
    """Functions of a tree that a decorator keeps without a word (``functools.wraps``): in a closure, or as an attribute."""
    if isfunction(value) and _loader(value):
        yield value
    elif depth and not isclass(value) and not ismodule(value):
        held = [cell.cell_contents for cell in getattr(value, "__closure__", None) or () if cell != CellType()]
        for one in (*held, *getattr(value, "__dict__", {}).values()):
            if callable(one):
                yield from _own_in(unwrap(one), depth - 1)


def _loader(function: Callable[..., Any]) -> _Loader | None:
    found = getattr(function, "__globals__", {}).get("__loader__")
    return found if isinstance(found, _Loader) else None


def _exchange(out: dict[str, ModuleType], into: dict[str, ModuleType]) -> None:
    for name in out:
        sys.modules.pop(name, None)
    sys.modules.update(into)


def _source(module: ModuleType) -> str:
    loader = getattr(module, "__loader__", None)
    return (loader.get_source(module.__name__) or "") if isinstance(loader, _Loader) else ""
