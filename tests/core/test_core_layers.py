"""The house's shape, where the import linter has no word for it: no cycle of modules, small files, light first imports."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

import towpath

SOURCE = Path(towpath.__file__).parent
FILES = {
    ".".join(("towpath", *file.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__"): file for file in SOURCE.rglob("*.py")
}


def imports(name: str) -> set[str]:
    """The modules of ours that a module imports."""
    file = FILES[name]
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module or ""
            found |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in FILES else base for alias in node.names}
    return found & FILES.keys()


def test_no_module_is_part_of_a_cycle():
    graph = {name: imports(name) - {name} for name in FILES}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as found:
        pytest.fail(" -> ".join(found.args[1]))


def test_every_folder_is_a_package():
    folders = {file.parent for file in FILES.values()}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


LONGER = {"towpath.events": 400}  # one list of all facts, which nobody should have to look for in two places


def test_files_are_short():
    long = {name: lines for name, file in FILES.items() if (lines := len(file.read_text().splitlines())) > LONGER.get(name, 300)}
    assert long == {}


def test_nothing_is_imported_inside_a_function():
    found = [
        f"{name}:{node.lineno}"
        for name, file in FILES.items()
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert found == []


@pytest.mark.parametrize("heavy", ["mlflow", "sklearn", "onnx", "torch", "ray", "polars"])
def test_import_towpath_is_light(heavy):
    code = f"import towpath, sys; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
