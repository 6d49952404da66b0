"""The recorded code of a version: imported from bytes, beside whatever else this process has imported under the same names.

Several versions are loaded in one process (a champion, a challenger, a baseline), each with its own `pipeline.py` and its own modules
around it. So the recorded files answer imports only while the module is being loaded; then the names are given back. A function that
imports one of its own project's modules when it is called, not at the top of its file, does not find it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from threading import RLock
from types import ModuleType
from typing import Any

from towpath.errors import UsageError

_importing = RLock()


def load_function(files: Mapping[str, bytes], module: str, function: str, *, unique: str) -> Callable[..., Any]:
    """A function of recorded code.

    Args:
        files: source by path, relative to the folder that is on the import path, with ``/``; folders need no ``__init__.py``.
        module: as imported from that folder: ``pipeline``, or ``project.pipeline``. Modules in its own folder are found too.
        function: its name in the module.
        unique: under which the modules are kept in ``sys.modules`` afterwards; the package's digest.

    Raises:
        UsageError: the code cannot be imported, or has no such function.
    """
    own = module.rpartition(".")[0].replace(".", "/")
    finder = _Finder(files, ("", f"{own}/") if own else ("",))
    with _importing, finder.answering(unique):
        try:
            loaded = importlib.import_module(module)
        except Exception as fault:  # a border: the user's code may raise anything while it is imported
            raise UsageError(
                f"the recorded module {module} cannot be imported: {type(fault).__name__}: {fault}", mend=_mend(fault)
            ) from fault
    found: Callable[..., Any] | None = getattr(loaded, function, None)
    if not callable(found):
        raise UsageError(f"the recorded module {module} has no function {function}", mend="check `model.features` in towpath.yaml")
    return found


def _mend(fault: Exception) -> str:
    if isinstance(fault, ModuleNotFoundError):
        return f"install {fault.name}; or, if it is a file of the project, let it be recorded with the `features` function"
    return "import the module in a fresh interpreter to see the whole error"


class _Loader(SourceLoader):
    """Loads one module from its recorded source."""

    def __init__(self, path: str, source: bytes) -> None:
        self._path, self._source = path, source

    def get_filename(self, fullname: str) -> str:
        return f"recorded/{self._path}"

    def get_data(self, path: bytes | str) -> bytes:
        if path != f"recorded/{self._path}":
            raise OSError(f"{path!r} is not recorded")  # compiled forms: there are none
        return self._source


class _Finder(MetaPathFinder):
    """Finds modules among recorded files, in several folders one after the other."""

    def __init__(self, files: Mapping[str, bytes], folders: Sequence[str]) -> None:
        self._files, self._folders = files, folders

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        place = fullname.replace(".", "/")
        for folder in self._folders:
            for file, is_package in ((f"{folder}{place}/__init__.py", True), (f"{folder}{place}.py", False)):
                if file in self._files:
                    return spec_from_loader(fullname, _Loader(file, self._files[file]), is_package=is_package)
            if any(name.startswith(f"{folder}{place}/") for name in self._files):
                return ModuleSpec(fullname, None, is_package=True)
        return None

    @contextmanager
    def answering(self, unique: str) -> Iterator[None]:
        """Recorded files come before all others; afterwards every name means what it meant before."""
        before = {name: module for name, module in sys.modules.items() if self.find_spec(name, None)}
        for name in before:
            del sys.modules[name]
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            for name in [name for name in sys.modules if self.find_spec(name, None)]:
                sys.modules[f"towpath_recorded_{unique}.{name}"] = sys.modules.pop(name)
            sys.modules.update(before)
