"""What a step's result may depend on and its fingerprint cannot know: each place by its line, with the way to declare it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from towpath.pipeline.code.listed import (
    ATTRIBUTES,
    BUILTIN,
    CLOCK,
    DRAWS,
    EARLY,
    LOOKS_UP,
    METHODS,
    NOW,
    OF_PATHS,
    RANDOM,
    READS,
    RESEEDS,
    SEEDED_BY,
    SETS_SEED,
    SETTINGS,
    STATE,
    VARIABLES,
    Weakness,
    listed,
)
from towpath.pipeline.code.names import dotted
from towpath.pipeline.code.syntax import Piece


def of(piece: Piece, *, is_step: bool = False) -> list[tuple[int, str]]:
    """Lines from 1, and what cannot be known there, in words.

    ``is_step``: its parameters are inputs, which the fingerprint knows: what is read from a folder among them is no weakness.
    """
    if piece.alone:
        return []
    found = (*_names(piece), *_calls(piece, is_step=is_step), *((piece.node.lineno, name, STATE) for name in sorted(piece.rebinds)))
    return sorted({(line, in_words(shown, weakness)) for line, shown, weakness in found})


def in_words(shown: str, weakness: Weakness) -> str:
    """What cannot be known of something, and what a person can do about it."""
    return f"`{shown}` {weakness.what}: {weakness.mend}"


def _names(piece: Piece) -> Iterator[tuple[int, str, Weakness]]:
    """Whatever is mentioned, called or not."""
    called = {(call.lineno, call.func.id) for call, _ in piece.uses.calls if isinstance(call.func, ast.Name)}
    for line, name, chain in piece.uses.places:
        shown = ".".join((name, *chain))
        whole = _whole(piece, name, chain)
        weakness = listed(whole) if whole else VARIABLES.get(name)
        if not weakness and not chain and (line, name) not in called and _is_builtin(piece, name):
            weakness = BUILTIN.get(name)  # handed on to be called elsewhere
        for part in chain:
            weakness = weakness or ATTRIBUTES.get(part)
        if weakness:
            yield line, shown, weakness


def _calls(piece: Piece, *, is_step: bool) -> Iterator[tuple[int, str, Weakness]]:
    for call, on_import in piece.uses.calls:
        name, chain = dotted(call.func)
        whole = _whole(piece, name, chain)
        weakness = _of_call(piece, call, name, chain, whole, on_import=on_import)
        if (
            weakness
            and not (whole and listed(whole))
            and not (is_step and weakness is READS and _mentions(call, _from_parameters(piece.node)))
        ):
            yield call.lineno, chain[-1] if chain else name, weakness


def _of_call(piece: Piece, call: ast.Call, name: str, chain: tuple[str, ...], whole: str, *, on_import: bool) -> Weakness | None:
    if not chain and not whole:
        is_plain = name in ("getattr", "setattr", "delattr") and len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
        return BUILTIN.get(name) if not is_plain and _is_builtin(piece, name) else None
    if whole in ("operator.attrgetter", "operator.methodcaller"):
        return None if all(isinstance(one, ast.Constant) for one in call.args) else LOOKS_UP
    if whole in SEEDED_BY or whole in RESEEDS:
        return None if _has_seed(call) else RANDOM
    if whole.startswith(DRAWS):
        return EARLY if on_import and whole not in SETS_SEED else None
    if whole.startswith(SETTINGS):
        return None if on_import else STATE
    if whole in NOW and any(isinstance(one, ast.Constant) and str(one.value).lower() in ("now", "today") for one in call.args):
        return CLOCK
    return _of_method(piece, call, chain[-1] if chain else whole.rpartition(".")[2], whole)


def _of_method(piece: Piece, call: ast.Call, last: str, whole: str) -> Weakness | None:
    if last in ("sample", "shuffle") and _loads(piece, "polars"):
        return None if any(word.arg in ("seed", "random_state", None) and not _is_none(word.value) for word in call.keywords) else RANDOM
    is_read = last.startswith("read_") and (not whole or whole.partition(".")[0] in ("polars", "pandas", "pyarrow", "geopandas", "dask"))
    if is_read or (last == "open" and not whole) or any(word.arg == "model_file" for word in call.keywords):
        return READS
    return METHODS.get(last) or _of_path(piece, last, whole)


def _of_path(piece: Piece, method: str, whole: str) -> Weakness | None:
    return OF_PATHS.get(method) if _loads(piece, "pathlib") and (not whole or whole.startswith("pathlib.")) else None


def _is_builtin(piece: Piece, name: str) -> bool:
    """Whether a name is Python's own there: neither of the module nor a local one."""
    return name in piece.takes and name not in piece.module.binding


def _has_seed(call: ast.Call) -> bool:
    given = [*call.args[:1], *(word.value for word in call.keywords)]
    return bool(given) and not _is_none(given[0])


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _whole(piece: Piece, name: str, chain: tuple[str, ...]) -> str:
    """``np.load`` as ``numpy.load``; empty where the name is not imported."""
    for one in (*piece.uses.later, *piece.module.imported):
        if one.name == name:
            return ".".join(filter(None, (*one.target, *chain)))
    return ""


def _loads(piece: Piece, library: str) -> bool:
    return any(one.loads.partition(".")[0] == library for one in (*piece.module.imported, *piece.uses.later))


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return bool(names) and any(isinstance(inner, ast.Name) and inner.id in names for inner in ast.walk(node))


def _from_parameters(node: ast.stmt) -> set[str]:
    """The positional parameters of a step and its checkpoint, and locals that are made from them."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return set()
    found = {one.arg for one in (*node.args.posonlyargs, *node.args.args)} | {"checkpoint"}
    while True:
        more = {name for source, target in _bindings(node) if _mentions(source, found) for name in _names_in(target)} - found
        if not more:
            return found
        found |= more


def _bindings(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """What is bound to what in a function: (source, target)."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign):
            yield from ((inner.value, target) for target in inner.targets)
        elif isinstance(inner, ast.AnnAssign | ast.NamedExpr) and inner.value:
            yield inner.value, inner.target
        elif isinstance(inner, ast.For | ast.AsyncFor | ast.comprehension):
            yield inner.iter, inner.target
        elif isinstance(inner, ast.withitem) and inner.optional_vars:
            yield inner.context_expr, inner.optional_vars


def _names_in(node: ast.AST) -> Iterator[str]:
    return (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))
