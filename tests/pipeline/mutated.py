"""A small project that uses most of what Python has, and every small change of it; with what a step of it gives."""

from __future__ import annotations

import ast
import copy
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from towpath.pipeline.code.places import places
from towpath.pipeline.importing import Imports, active

FILES = {
    name: text
    for name, _, text in (part.partition("\n") for part in (Path(__file__).parent / "mutated.txt").read_text().split("\n--- ")[1:])
}


class Mutant(NamedTuple):
    """The project with one change in one file."""

    kind: str
    file: str
    text: str


def write(root: Path, files: dict[str, str]) -> None:
    """The project's files, below ``root``."""
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        (root / name).write_text(text)


class Result(NamedTuple):
    """What a step gives, or what it raises; ``line`` of which file stopped the import, where it did not come to the step."""

    what: str
    stopped_at: tuple[str, int] | None = None


def result(root: Path, step: str, *args: Any) -> Result:
    """What a step gives for each of some values; in this process, which is left as it was."""
    before = set(sys.modules)
    try:
        function = vars(Imports(places(root, "pipeline.py"), "pipeline").load("pipeline"))[step]
    except Exception as fault:  # whatever a change leads to
        return Result(f"{type(fault).__name__}: {fault}", _stopped_at(fault, root))
    else:
        return Result(_given(function, args))
    finally:
        for name in set(sys.modules) - before:
            if name.startswith("towpath_project_"):
                del sys.modules[name]


def _given(function: Callable[..., Any], args: tuple[Any, ...]) -> str:
    try:
        with active(function):
            return repr([function(arg) for arg in args])
    except Exception as fault:  # whatever a change leads to
        return f"{type(fault).__name__}: {fault}"


def _stopped_at(fault: Exception, root: Path) -> tuple[str, int] | None:
    """The statement at the top of a module that raised, of the innermost module."""
    frames = [one for one in traceback.extract_tb(fault.__traceback__) if one.name == "<module>" and one.filename.startswith(str(root))]
    return (str(Path(frames[-1].filename).relative_to(root)), frames[-1].lineno or 0) if frames else None


def mutants(files: dict[str, str]) -> Iterator[Mutant]:
    """Every change of a list, at every place where it fits; those that give the same text are left out."""
    for file, text in files.items():
        plain = ast.unparse(ast.parse(text))
        tree = ast.parse(text)
        nodes = list(ast.walk(tree))
        for place in range(len(nodes)):
            for kind, change in CHANGES:
                for choice in range(3):
                    if not change(nodes[place], choice, tree):
                        break
                    changed = ast.unparse(ast.fix_missing_locations(tree))
                    tree = ast.parse(text)
                    nodes = list(ast.walk(tree))
                    if changed != plain:
                        yield Mutant(kind, file, changed)


Change = Callable[[Any, int, ast.Module], bool]
CHANGES: list[tuple[str, Change]] = []


def _change(kind: str) -> Callable[[Change], Change]:
    def note(change: Change) -> Change:
        CHANGES.append((kind, change))
        return change

    return note


def _is_text(node: Any, tree: ast.Module) -> bool:
    return any(isinstance(one, ast.Expr) and one.value is node for one in ast.walk(tree))


@_change("constant changed")
def _constant(node, choice, tree):
    if not isinstance(node, ast.Constant) or choice or _is_text(node, tree):
        return False
    value = node.value
    node.value = not value if isinstance(value, bool) else value + 1 if isinstance(value, int | float) else f"{value}x"
    return True


_SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
    ast.Lt: ast.GtE, ast.Gt: ast.LtE, ast.Eq: ast.NotEq, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@_change("operator swapped")
def _operator(node, choice, tree):
    if choice or type(getattr(node, "op", None)) not in _SWAPS:
        return False
    node.op = _SWAPS[type(node.op)]()
    return True


@_change("comparison flipped")
def _comparison(node, choice, tree):
    if choice or not isinstance(node, ast.Compare) or type(node.ops[0]) not in _SWAPS:
        return False
    node.ops[0] = _SWAPS[type(node.ops[0])]()
    return True


@_change("statement removed")
def _removed(node, choice, tree):
    body = getattr(node, "body", None)
    if not isinstance(body, list) or choice >= len(body):
        return False
    del body[choice]
    if not body and not isinstance(node, ast.Module):
        body.append(ast.Pass())
    return True


@_change("any statement of a module removed")
def _top_removed(node, choice, tree):
    if choice or node not in tree.body:
        return False
    tree.body.remove(node)
    return True


@_change("statements swapped")
def _swapped(node, choice, tree):
    if choice or node not in tree.body[:-1]:
        return False
    at = tree.body.index(node)
    tree.body[at : at + 2] = reversed(tree.body[at : at + 2])
    return True


@_change("statement doubled")
def _doubled(node, choice, tree):
    if choice or node not in tree.body:
        return False
    tree.body.append(copy.deepcopy(node))
    return True


@_change("decorator removed")
def _decorator(node, choice, tree):
    if choice >= len(getattr(node, "decorator_list", ())):
        return False
    del node.decorator_list[choice]
    return True


@_change("base class removed")
def _base(node, choice, tree):
    if not isinstance(node, ast.ClassDef) or choice >= len(node.bases):
        return False
    del node.bases[choice]
    return True


@_change("keyword removed")
def _keyword(node, choice, tree):
    if choice >= len(getattr(node, "keywords", ())):
        return False
    del node.keywords[choice]
    return True


@_change("arguments exchanged")
def _arguments(node, choice, tree):
    if choice or not isinstance(node, ast.Call) or len(node.args) < 2:
        return False
    node.args[:2] = reversed(node.args[:2])
    return True


@_change("parameters exchanged")
def _parameters(node, choice, tree):
    if choice or not isinstance(node, ast.arguments) or len(node.args) < 2:
        return False
    node.args[:2] = reversed(node.args[:2])
    return True


@_change("default removed")
def _default(node, choice, tree):
    if choice or not isinstance(node, ast.arguments) or not node.defaults:
        return False
    del node.defaults[0]
    return True


@_change("attribute renamed")
def _attribute(node, choice, tree):
    names = sorted({one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)})
    if not isinstance(node, ast.Attribute) or choice >= 2:
        return False
    node.attr = names[(names.index(node.attr) + 1 + choice) % len(names)]
    return True


@_change("another name read")
def _name(node, choice, tree):
    names = sorted({one.id for one in ast.walk(tree) if isinstance(one, ast.Name)})
    if not isinstance(node, ast.Name) or choice >= 2:
        return False
    node.id = names[(names.index(node.id) + 1 + choice) % len(names)]
    return True


@_change("another name imported")
def _import(node, choice, tree):
    if choice or not isinstance(node, ast.ImportFrom) or len(node.names) < 2:
        return False
    one, other = node.names[:2]
    one.asname, other.asname = other.asname or other.name, one.asname or one.name
    return True


@_change("another module imported")
def _module(node, choice, tree):
    modules = sorted({one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom) and one.module})
    if choice or not isinstance(node, ast.ImportFrom) or not node.module:
        return False
    node.module = modules[(modules.index(node.module) + 1) % len(modules)]
    return True


@_change("import removed")
def _alias(node, choice, tree):
    if not isinstance(node, ast.Import | ast.ImportFrom) or choice >= len(node.names) or len(node.names) < 2:
        return False
    del node.names[choice]
    return True


@_change("None returned")
def _returned(node, choice, tree):
    if choice or not isinstance(node, ast.Return) or node.value is None:
        return False
    node.value = None
    return True


@_change("condition negated")
def _negated(node, choice, tree):
    if choice or not isinstance(getattr(node, "test", None), ast.expr):
        return False
    node.test = ast.UnaryOp(ast.Not(), node.test)
    return True


@_change("filter removed")
def _filter(node, choice, tree):
    if choice or not isinstance(node, ast.comprehension) or not node.ifs:
        return False
    node.ifs.clear()
    return True


@_change("case or handler removed")
def _case(node, choice, tree):
    cases = getattr(node, "cases", None) or getattr(node, "handlers", None) or []
    if choice >= len(cases) or len(cases) < 2:
        return False
    del cases[choice]
    return True


@_change("else removed")
def _else(node, choice, tree):
    if choice or not isinstance(getattr(node, "orelse", None), list) or not node.orelse:
        return False
    node.orelse.clear()
    return True
