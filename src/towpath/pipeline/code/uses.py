"""Which names a statement takes and changes, and when, read off its syntax tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import NamedTuple

from towpath.pipeline.code.names import Chain, Import, imports_of

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Use(NamedTuple):
    """One place where a name is used."""

    line: int
    name: str
    chain: Chain


class Uses:
    """What one statement at the top of a module uses.

    ``chains``: how each name is used, whoever's it is. ``at_top``: the names that are read in the scope of the module or of a class.
    ``now``: those that are read when the module is imported, not first when a function is called. ``bases``: those of its base classes.
    ``busy``: the names, with their chains, with which more is done than to compute.
    ``alters``: what is stored to, or has a method called, by name and chain. ``gives``: names that are handed to a call, with the name
    that is called. ``acts``: whether it may do more on import than bind its names; ``tells``: whether a part of it binds none.
    """

    def __init__(self, node: ast.stmt, package: str) -> None:
        self.chains: dict[str, set[Chain]] = {}
        self.at_top: set[str] = set()
        self.now: set[str] = set()
        self.bases: set[str] = set()
        self.alters: set[tuple[str, Chain]] = set()
        self.gives: set[tuple[str, str]] = set()
        self.busy: set[tuple[str, Chain]] = set()
        self.rebinds: set[str] = set()  # by ``global``
        self.imports: list[Import] = []  # at the top, in `if` and `try` too
        self.later: list[Import] = []  # in functions
        self.places: list[Use] = []
        self.calls: list[tuple[ast.Call, bool]] = []  # and whether on import
        self.acts = False
        self.tells = False
        self._package = package
        self._visit(node, True, True)

    def _visit(self, node: ast.AST, now: bool, top: bool) -> None:
        kind = type(node)
        if kind is ast.Name or kind is ast.Attribute:
            if kind is ast.Attribute or type(node.ctx) is not ast.Store:  # type: ignore[attr-defined]
                self._chain(node, now, top)
        elif kind is not ast.Constant:
            special = _VISITORS.get(kind)
            if special:
                special(self, node, now, top)
            else:
                self._parts(node, now, top)

    def _parts(self, node: ast.AST, now: bool, top: bool) -> None:
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                for inner in value:
                    if isinstance(inner, ast.AST):
                        self._visit(inner, now, top)
            elif isinstance(value, ast.AST):
                self._visit(value, now, top)

    def _chain(self, node: ast.AST, now: bool, top: bool, *, busy: bool = True) -> None:
        name, chain = _dotted(node)
        if name is None:
            self._parts(node, now, top)
            return
        self.busy |= {(name, chain)} if busy else set()
        self.places.append(Use(node.lineno, name, chain))  # type: ignore[attr-defined]
        self.chains.setdefault(name, set()).add(chain)
        if now:
            self.now.add(name)
        if top:
            self.at_top.add(name)
        if chain and not isinstance(node.ctx, ast.Load):  # type: ignore[attr-defined]
            self._alter(name, chain, now)

    def _alter(self, name: str, chain: Chain, now: bool) -> None:
        self.alters.add((name, chain))
        self.acts |= now

    def _subscript(self, node: ast.Subscript, now: bool, top: bool) -> None:
        name, chain = _dotted(node.value)
        if name and not isinstance(node.ctx, ast.Load):
            self._alter(name, chain, now)
        self._parts(node, now, top)

    def _computed(self, node: ast.expr, now: bool, top: bool) -> None:
        """What goes into a new value; ``a >> b`` may be a sentence of a language of their own."""
        if isinstance(node, ast.BinOp) and not isinstance(node.op, _ARITHMETIC):
            self._parts(node, now, top)
            return
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.Name | ast.Attribute):
                self._chain(part, now, top, busy=False)
            else:
                self._visit(part, now, top)

    def _call(self, node: ast.Call, now: bool, top: bool) -> None:
        self.calls.append((node, now))
        self.acts |= now
        called, chain = _dotted(node.func)
        if called in COMPUTE and not chain:
            self._computed(node, now, top)
            return
        if called and chain:
            self.alters.add((called, chain[:-1]))
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("query", "eval"):
            self._in_text(node, now)
        for given in (*node.args, *(word.value for word in node.keywords)):
            name = _dotted(given.value if isinstance(given, ast.Starred) else given)[0]
            if name:
                self.gives.add((called or "", name))
        self._parts(node, now, top)

    def _in_text(self, node: ast.Call, now: bool) -> None:
        """``frame.query("a > @LIMIT")`` takes LIMIT from the module."""
        for given in node.args:
            for part in ast.walk(given):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    for name in re.findall(r"@([A-Za-z_]\w*)", part.value):
                        self._chain(ast.Name(name, ast.Load(), lineno=node.lineno), now, True)

    def _decorators(self, node: _Function | ast.ClassDef, now: bool, top: bool) -> None:
        for decorator in node.decorator_list:
            self.acts |= now
            name, chain = _dotted(decorator)
            if name and chain:
                self.alters.add((name, chain[:-1]))
            self._visit(decorator, now, top)

    def _function(self, node: _Function, now: bool, top: bool) -> None:
        self._decorators(node, now, top)
        self._arguments(node.args, now, top)
        self._annotation(node.returns, now, top)
        for inner in (*getattr(node, "type_params", ()), *node.body):
            self._visit(inner, False, False)

    def _lambda(self, node: ast.Lambda, now: bool, top: bool) -> None:
        self._arguments(node.args, now, top)
        self._visit(node.body, now, False)  # on import too: sorted(names, key=lambda ...)

    def _arguments(self, node: ast.arguments, now: bool, top: bool) -> None:
        for default in (*node.defaults, *filter(None, node.kw_defaults)):
            self._visit(default, now, top)
        for one in (*node.posonlyargs, *node.args, *node.kwonlyargs, node.vararg, node.kwarg):
            if one is not None:
                self._annotation(one.annotation, now, top)

    def _annotation(self, node: ast.expr | None, now: bool, top: bool) -> None:
        if node is None:
            return
        for inner in ast.walk(node):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                self._written(inner.value, now)
        self._visit(node, now, top)

    def _written(self, text: str, now: bool) -> None:
        """An annotation that is a text."""
        try:
            self._visit(ast.parse(text, mode="eval").body, now, True)
        except SyntaxError:
            return

    def _annotated(self, node: ast.AnnAssign, now: bool, top: bool) -> None:
        self._annotation(node.annotation, now, top)
        self._visit(node.target, now, top)
        if node.value:
            self._visit(node.value, now, top)

    def _class(self, node: ast.ClassDef, now: bool, top: bool) -> None:
        self._decorators(node, now, top)
        for base in node.bases:
            name = _dotted(base)[0]
            self.bases |= {name} if name else set()
            self._visit(base, now, top)
        self.acts |= now and bool(node.keywords or node.bases)
        for part in (*node.keywords, *getattr(node, "type_params", ())):
            self._visit(part, now, top)
        for part in node.body:
            self._visit(part, now, True)  # a name that the class binds as well is the module's until then

    def _comprehension(self, node: _Comprehension, now: bool, top: bool) -> None:
        self._visit(node.generators[0].iter, now, top)  # the only part that runs outside
        for number, generator in enumerate(node.generators):
            for part in (generator.target, *generator.ifs, *([generator.iter] if number else [])):
                self._visit(part, now, False)
        for result in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self._visit(result, now, False)

    def _global(self, node: ast.Global, now: bool, top: bool) -> None:
        self.rebinds |= set(node.names)

    def _import(self, node: ast.Import | ast.ImportFrom, now: bool, top: bool) -> None:
        (self.imports if top and now else self.later).extend(imports_of(node, self._package))

    def _augmented(self, node: ast.AugAssign, now: bool, top: bool) -> None:
        self.acts |= now
        self._chain(node.target, now, top)
        self._visit(node.value, now, top)

    def _alone(self, node: ast.Expr | ast.Raise | ast.Assert, now: bool, top: bool) -> None:
        self.tells |= now
        self._effect(node, now, top)

    def _effect(self, node: ast.AST, now: bool, top: bool) -> None:
        self.acts |= now
        self._parts(node, now, top)


_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
COMPUTE = {
    "sum",
    "len",
    "any",
    "all",
    "str",
    "repr",
    "int",
    "float",
    "bool",
    "abs",
    "round",
    "isinstance",
    "print",
    "range",
    "divmod",
    "pow",
}
_VISITORS: dict[type[ast.AST], Callable[..., None]] = {
    ast.Subscript: Uses._subscript,
    ast.Call: Uses._call,
    ast.BinOp: Uses._computed,
    ast.Compare: Uses._computed,
    ast.UnaryOp: Uses._computed,
    ast.FormattedValue: Uses._computed,
    ast.FunctionDef: Uses._function,
    ast.AsyncFunctionDef: Uses._function,
    ast.Lambda: Uses._lambda,
    ast.ClassDef: Uses._class,
    ast.AnnAssign: Uses._annotated,
    ast.ListComp: Uses._comprehension,
    ast.SetComp: Uses._comprehension,
    ast.DictComp: Uses._comprehension,
    ast.GeneratorExp: Uses._comprehension,
    ast.Global: Uses._global,
    ast.Import: Uses._import,
    ast.ImportFrom: Uses._import,
    ast.AugAssign: Uses._augmented,
    ast.Delete: Uses._effect,
    ast.With: Uses._effect,
    ast.Expr: Uses._alone,
    ast.Raise: Uses._alone,
    ast.Assert: Uses._alone,
}


def _dotted(node: ast.AST) -> tuple[str | None, Chain]:
    chain: list[str] = []
    while isinstance(node, ast.Attribute):
        chain.append(node.attr)
        node = node.value
    return (node.id, tuple(reversed(chain))) if isinstance(node, ast.Name) else (None, ())
