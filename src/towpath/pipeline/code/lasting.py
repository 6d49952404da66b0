"""What a call leaves in its process: what it does to objects of modules, draws from them, and defaults that it changes.

A worker executes one step after another, so such a result hangs on what was executed before, and which steps are taken from the cache.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from towpath.pipeline.code.linking import Linker
from towpath.pipeline.code.listed import SEEDED_BY
from towpath.pipeline.code.names import Chain, dotted
from towpath.pipeline.code.syntax import Piece

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_IN_PLACE = {"append", "extend", "insert", "remove", "add", "discard", "update", "appendleft", "extendleft", "rotate", "put", "subtract"}
_IN_PLACE |= {"pop", "popitem", "popleft", "setdefault", "move_to_end", "fit", "partial_fit", "fit_transform", "load_state_dict"}
_IN_PLACE_ALONE = {"sort", "reverse", "clear"}  # of a table they give another one, so that alone they would do nothing
_WITHIN = {"get", "setdefault", "values", "items"}  # what these give is of the object itself
_STREAMS = SEEDED_BY | {"numpy.random.Generator", "torch.Generator", "sklearn.utils.check_random_state"}
_BUILTIN_STREAMS = {"iter", "map", "filter", "zip", "enumerate", "reversed", "open"}
_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_MAKES_MUTABLE = {"list", "dict", "set", "defaultdict", "Counter", "deque", "OrderedDict", "bytearray"}


class Left(NamedTuple):
    """What a function leaves behind: where, and in how many functions around it, itself included."""

    line: int
    shown: str
    depth: int


def left_by(piece: Piece, linker: Linker) -> list[Left]:
    """What the functions in a statement may leave behind. A cache by a decorator is no such thing: it gives what the call would give."""
    if piece.alone:
        return []
    return [found for function, around in _functions(piece.node, ()) for found in _of(piece, linker, function, around)]


def _functions(node: ast.AST, around: tuple[_Function, ...]) -> Iterator[tuple[_Function, tuple[_Function, ...]]]:
    """Each function, with those around it."""
    for inner in [node] if not around and isinstance(node, _FUNCTIONS) else ast.iter_child_nodes(node):
        if isinstance(inner, _FUNCTIONS):
            yield inner, around
            yield from _functions(inner, (*around, inner))
        else:
            yield from _functions(inner, around)


def _own(function: _Function) -> Iterator[ast.AST]:
    """The nodes of a function's body, those of functions in it left out."""
    queue: list[ast.AST] = list(function.body) if isinstance(function.body, list) else [function.body]
    while queue:
        node = queue.pop()
        yield node
        queue += [] if isinstance(node, _FUNCTIONS) else ast.iter_child_nodes(node)


def _of(piece: Piece, linker: Linker, function: _Function, around: tuple[_Function, ...]) -> Iterator[Left]:
    nodes = list(_own(function))
    local = set().union(*(_local(one) for one in (*around, function))) - piece.uses.rebinds
    aliases = _aliases(nodes, local)
    changeable, streams = _changeable(function), _streams(piece, function)
    for node in nodes:
        for base in _changed(node):
            name = aliases.get(_root(base), _root(base))
            is_object = name not in local and _is_changed(piece, linker, name, base, stored=not isinstance(node, ast.Expr | ast.Call))
            if name and (name in changeable or is_object):
                yield Left(base.lineno, ast.unparse(base), len(around) + 1)
        name, chain = dotted(node)
        if name in streams or (name not in local and _is_stream(piece, linker, name, chain)):
            yield Left(node.lineno, name, len(around) + 1)  # type: ignore[attr-defined]


def _changed(node: ast.AST) -> Iterator[ast.expr]:
    """The objects that a node changes: what is stored to, or has a method called that changes it."""
    if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        yield node.value
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        if node.value.func.attr in _IN_PLACE_ALONE:
            yield node.value.func.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _IN_PLACE:
        yield node.func.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "next" and node.args:
        yield node.args[0]


def _root(node: ast.AST) -> str:
    """The name that an expression is a part of."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _WITHIN:
            node = node.func.value
        else:
            return ""
    return node.id


def _aliases(nodes: Iterable[ast.AST], local: set[str]) -> dict[str, str]:
    """Locals that stand for a part of something else, by that."""
    found: dict[str, str] = {}
    pairs = [(target, node.value) for node in nodes if isinstance(node, ast.Assign) for target in node.targets]
    pairs += [(node.target, node.iter) for node in nodes if isinstance(node, ast.For)]
    for target, source in reversed(pairs):  # nodes come last first
        root = _root(source)
        if isinstance(target, ast.Name) and root:
            found[target.id] = found.get(root, root)
    return {name: root for name, root in found.items() if name in local}


def _local(function: _Function) -> set[str]:
    args = function.args
    given = (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg)
    bound = {node.id for node in _own(function) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for node in _own(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return {one.arg for one in given if one} | bound | imported


def _changeable(function: _Function) -> set[str]:
    """Parameters whose default is made once and may be changed."""
    return {name for name, node in _defaults(function) if isinstance(node, _MUTABLE) or _makes(node) in _MAKES_MUTABLE}


def _makes(node: ast.expr) -> str:
    """The last name of what is called, such as `Counter`."""
    name, chain = dotted(node.func) if isinstance(node, ast.Call) else ("", ())
    return chain[-1] if chain else name


def _streams(piece: Piece, function: _Function) -> set[str]:
    return {name for name, node in _defaults(function) if _makes_stream(piece, node)}


def _defaults(function: _Function) -> Iterator[tuple[str, ast.expr]]:
    args = function.args
    plain = [*args.posonlyargs, *args.args]
    yield from ((one.arg, node) for one, node in zip(plain[len(plain) - len(args.defaults) :], args.defaults, strict=True))
    yield from ((one.arg, node) for one, node in zip(args.kwonlyargs, args.kw_defaults, strict=True) if node)


def _is_changed(piece: Piece, linker: Linker, name: str, base: ast.expr, *, stored: bool) -> bool:
    """Whether a name of the module is of an object that was made there; of what is stored to, also a function, a class or a library."""
    if name not in piece.module.binding:
        return False
    chain = dotted(base)[1] if dotted(base)[0] == name else ()
    found = [one for one in linker.name(piece.module, name, chain, whole=False).pieces if not one.alone]
    return stored or any(not isinstance(one.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for one in found)


def _is_stream(piece: Piece, linker: Linker, name: str, chain: Chain) -> bool:
    """Whether a name is of an object of a module that gives something else each time."""
    if name not in piece.module.binding:
        return False
    return any(_gives_anew(one) for one in linker.name(piece.module, name, chain, whole=False).pieces if not one.alone)


def _gives_anew(piece: Piece) -> bool:
    value = getattr(piece.node, "value", None)
    if isinstance(value, ast.Attribute):  # a method of such an object
        return any(_gives_anew(one) for one in piece.module.binding.get(_root(value), ()) if one is not piece and not one.alone)
    return isinstance(piece.node, ast.Assign | ast.AnnAssign) and value is not None and _makes_stream(piece, value)


def _makes_stream(piece: Piece, value: ast.expr) -> bool:
    if isinstance(value, ast.GeneratorExp):
        return True
    name, chain = dotted(value.func) if isinstance(value, ast.Call) else ("", ())
    if not name:
        return False
    made = piece.module.binding.get(name, ())
    whole = next((".".join(filter(None, (*one.alone.target, *chain))) for one in made if one.alone), "")
    is_generator = any(isinstance(one.node, ast.FunctionDef) and _yields(one.node) for one in made if not one.alone)
    return is_generator or whole in _STREAMS or whole.startswith("itertools.") or (not made and name in _BUILTIN_STREAMS)


def _yields(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own(function))
