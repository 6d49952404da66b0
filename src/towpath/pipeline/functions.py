"""The user's functions, loaded from a tree of files."""

from __future__ import annotations

import inspect
import pathlib
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.code.places import module_name, places
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.importing import Imports, written

Function = Callable[..., Any]
CHECKPOINT = "checkpoint"  # the reserved name of the parameter that takes a folder of the step's own


def load(root: Path, pipeline: str) -> dict[str, Function]:
    """The public functions of a pipeline file by name, those among them that it imports from the project's other files.

    The file may import its neighbours and modules below ``root``. Nothing of that stays on the import path, so that another tree of
    the same project can be loaded into the same process.

    Raises:
        StepFailed: importing the file raised.
        UsageError: there is no such file, or it is no Python file below ``root``.
    """
    file = root / pipeline
    if not file.is_file():
        raise UsageError(f"there is no pipeline file {pipeline}", mend="name the file that has your functions under `pipeline:`")
    if file.suffix != ".py" or not file.resolve().is_relative_to(root.resolve()):
        raise UsageError(f"{pipeline} is no Python file of the project", mend="name a .py file below towpath.yaml under `pipeline:`")
    name = module_name(pipeline)
    imports = Imports(places(root, pipeline), name)
    try:
        module = imports.load(name)
    except Exception as fault:  # whatever the user's file raises is theirs to mend
        raise StepFailed.of("import", fault, root) from fault
    own = [vars(each) for each in imports.modules.values()]
    return {key: value for key, value in vars(module).items() if not key.startswith("_") and _is_function(value) and _is_of(value, own)}


def installed(module: str, name: str) -> tuple[Function, Path]:
    """A function of an installed distribution, and the folder that its code lies in.

    Raises:
        StepFailed: importing the module raised.
        UnknownName: it has no such function.
    """
    try:
        found = import_module(module)
    except Exception as fault:  # whatever the module raises is for its maker to mend
        raise StepFailed.of("import", fault, Path(module.partition(".")[0])) from fault
    top = sys.modules[module.partition(".")[0]]
    root = Path(getattr(top, "__file__", None) or next(iter(top.__path__))).parent
    return named({key: value for key, value in vars(found).items() if _is_function(value)}, name), root


def _is_function(value: object) -> bool:
    """Or what a decorator made of one."""
    return callable(value) and not inspect.isclass(value)


def _is_of(value: Function, modules: list[dict[str, Any]]) -> bool:
    names = getattr(written(value), "__globals__", None)
    return any(names is one for one in modules)


def named(functions: dict[str, Function], name: str) -> Function:
    """A function by name. Raises UnknownName with the nearest."""
    if name not in functions:
        raise UnknownName("function in the pipeline", name, functions)
    return functions[name]


def annotation(function: Function, parameter: str) -> Any:
    """What a parameter is annotated with; a text's first word is looked up where the function was written. None without annotation."""
    inner = written(function)
    found = getattr(inner, "__annotations__", {}).get(parameter)
    if not isinstance(found, str):
        return found
    root = found.strip("'\"").split("[")[0].split(".")[0]
    return getattr(inner, "__globals__", {}).get(root, found)


def wants_checkpoint(function: Function) -> bool:
    """Whether a function takes a folder in which it may keep how far it came."""
    return CHECKPOINT in inspect.signature(written(function)).parameters and wants_folder(function, CHECKPOINT)


def wants_folder(function: Function, parameter: str) -> bool:
    """Whether a parameter is annotated as a path."""
    wanted = annotation(function, parameter)
    return wanted in (pathlib.Path, pathlib) or (isinstance(wanted, str) and wanted.strip("'\"") in ("Path", "pathlib.Path"))
