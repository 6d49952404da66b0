"""The user's functions, loaded from a tree of files."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from towpath.digest import of_bytes
from towpath.errors import TowpathError, UnknownName, UsageError

Function = Callable[..., Any]


class StepFailed(TowpathError):
    """A user's function raised. Carries their own traceback, without our frames."""

    def __init__(self, step: str, fault: BaseException, root: Path) -> None:
        self.step, self.trace = step, their_trace(fault, root)
        super().__init__(
            f"step {step!r} raised {type(fault).__name__}: {fault}\n{self.trace}", mend="mend the step; what ran before it is kept"
        )


def load(root: Path, pipeline: str) -> dict[str, Function]:
    """The functions that a pipeline file defines, by name.

    The file may import its neighbours and modules below ``root``. What it imports from there is forgotten again, so
    that another tree of the same project can be loaded into the same process.

    Raises:
        StepFailed: importing the file raised.
    """
    file = root / pipeline
    if not file.is_file():
        raise UsageError(f"there is no pipeline file {pipeline}", mend="name the file that has your functions under `pipeline:`")
    name = f"towpath_pipeline_{of_bytes(str(file).encode())[:12]}"
    with importing_from(root, file.parent):
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise UsageError(f"{pipeline} is no Python file", mend="name a .py file under `pipeline:`")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as fault:  # whatever the user's file raises is theirs to mend
            raise StepFailed("import", fault, root) from fault
    return {key: value for key, value in vars(module).items() if inspect.isfunction(value) and not key.startswith("_")}


@contextmanager
def importing_from(*folders: Path) -> Iterator[None]:
    """The folders come first on ``sys.path``; afterwards, modules that came from them are forgotten."""
    before = list(sys.path)
    sys.path[:0] = [str(folder) for folder in folders]
    try:
        yield
    finally:
        sys.path[:] = before
        roots = tuple(str(folder) for folder in folders)
        for name, module in list(sys.modules.items()):
            if not name.startswith("towpath_pipeline_") and str(getattr(module, "__file__", None) or "").startswith(roots):
                del sys.modules[name]


def named(functions: dict[str, Function], name: str) -> Function:
    """A function by name. Raises UnknownName with the nearest."""
    if name not in functions:
        raise UnknownName("function in the pipeline", name, functions)
    return functions[name]


def their_trace(fault: BaseException, root: Path) -> str:
    """The lines of a traceback that lie in the project's files; all of it when none does."""
    frames = traceback.extract_tb(fault.__traceback__)
    theirs = [frame for frame in frames if str(frame.filename).startswith(str(root))]
    return "".join(traceback.format_list(theirs or frames[-3:])).rstrip().replace(str(root) + "/", "")
