"""A module as its statements: what each binds, what it takes from the module, and its text without comments, layout and docstrings."""

from __future__ import annotations

import ast
import symtable
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from towpath.errors import UsageError
from towpath.pipeline.code.names import Chain, Import, Target, bound, imports_of, is_docstring, is_script
from towpath.pipeline.code.uses import COMPUTE, Uses

IMPORT = "<import>"  # what stands for the name of a statement that binds none


class Piece:
    """A statement at the top of a module; of an import, one of its names.

    ``binds`` are the names that it binds or changes, ``place`` counts from the top.
    """

    def __init__(self, module: Module, place: int, node: ast.stmt, alone: Import | None = None) -> None:
        self.module, self.place, self.node, self.alone = module, place, node, alone
        self.binds = (alone.name,) if alone else tuple(dict.fromkeys(bound(node)))

    @property
    def text(self) -> str:
        """Its normal form: equal trees give equal text."""
        return self.alone.text if self.alone else self.module.texts[self.place]

    @property
    def label(self) -> str:
        """What it is called."""
        return ", ".join(self.binds) or IMPORT

    @property
    def is_star(self) -> bool:
        """Whether it imports all names of a module."""
        return "*" in self.binds

    @property
    def imports(self) -> list[Import]:
        """What it imports at the top of the module, in ``if`` and ``try`` too."""
        return [self.alone] if self.alone else [] if is_future(self.node) else self.uses.imports

    @cached_property
    def uses(self) -> Uses:
        """The names in it, whoever's they are."""
        return Uses(self.node, self.module.package)

    @cached_property
    def takes(self) -> dict[str, set[Chain]]:
        """The names that it takes from its module, not its parameters and other locals; and how they are used."""
        names = self.uses.at_top | self.module.globals[self.place] | self.uses.rebinds
        return {name: self.uses.chains.get(name) or {()} for name in sorted(names)}

    @property
    def rebinds(self) -> set[str]:
        """The names of its module that it binds anew by ``global``, when it is called."""
        return self.uses.rebinds if "global " in self.text else set()

    @cached_property
    def pairs(self) -> list[tuple[str, Chain]]:
        """The names that it takes, one by one with how each is used."""
        return [(name, chain) for name, chains in self.takes.items() for chain in sorted(chains)]

    @cached_property
    def busy(self) -> list[tuple[str, Chain]]:
        """Those of them that it may change, or let others change."""
        computes = not COMPUTE & self.module.binding.keys()  # `len` is what it always was
        return [pair for pair in self.pairs if pair in self.uses.busy or not computes]

    @cached_property
    def is_effect(self) -> bool:
        """Whether it is there for what it does on import, not for a name."""
        if isinstance(self.node, _DEFINES) or self.alone:
            return False
        return not self.binds or self.uses.tells

    @cached_property
    def is_fixed(self) -> bool:
        """Whether what it binds cannot change while it is bound: a number, a text, a compiled pattern."""
        if self.alone or isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return not self.rebinds
        return isinstance(self.node, ast.Assign | ast.AnnAssign) and _is_fixed(self.node.value, self.module, 3)


_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.AugAssign)
_FIXED_OPERATIONS = (ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Tuple, ast.JoinedStr, ast.FormattedValue)
_FIXED_BUILTINS = {"frozenset", "tuple", "str", "int", "float", "bool", "bytes"}
_FIXED_CALLS = {"compile", "Path", "date", "datetime", "timedelta", "Decimal", "getLogger", "partial", "itemgetter", "attrgetter"}
_FIXED_CALLS |= {"namedtuple", "TypeVar", "NewType"}


def _is_fixed(node: ast.AST | None, module: Module, depth: int) -> bool:
    if node is None or isinstance(node, ast.Constant | ast.Lambda | ast.expr_context | ast.operator | ast.unaryop | ast.cmpop | ast.boolop):
        return True
    if isinstance(node, ast.Name):
        sources = module.binding.get(node.id, ())
        return bool(depth and sources) and all(_is_fixed_source(one, module, depth - 1) for one in sources)
    if isinstance(node, ast.Call):
        return _makes_fixed(ast.unparse(node.func), module) and all(
            _is_fixed(one, module, depth) for one in (*node.args, *(word.value for word in node.keywords))
        )
    return isinstance(node, _FIXED_OPERATIONS) and all(_is_fixed(inner, module, depth) for inner in ast.iter_child_nodes(node))


def _makes_fixed(called: str, module: Module) -> bool:
    """Whether a call of Python's own makes something that cannot change."""
    sources = module.binding.get(called.partition(".")[0], ())
    if not sources:
        return called in _FIXED_BUILTINS
    known = all(one.alone and one.alone.loads.partition(".")[0] in sys.stdlib_module_names for one in sources)
    return known and called.rpartition(".")[2] in _FIXED_CALLS


def _is_fixed_source(piece: Piece, module: Module, depth: int) -> bool:
    if isinstance(piece.node, ast.FunctionDef | ast.ClassDef):
        return not piece.rebinds
    return not piece.alone and isinstance(piece.node, ast.Assign | ast.AnnAssign) and _is_fixed(piece.node.value, module, depth)


class Module:
    """One file of the project. It is read and parsed once, and each of its statements looked at once."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self.file = name, file
        try:
            self.tree = without_docstrings(ast.parse(file.read_bytes(), filename=str(file)))
        except SyntaxError as fault:
            raise UsageError(f"{file.name}:{fault.lineno}: {fault.msg}", mend="mend that line") from None

    @property
    def path(self) -> str:
        """Its path below the folder on the import path."""
        return self.name.replace(".", "/") + ("/__init__.py" if self.file.name == "__init__.py" else ".py")

    @property
    def package(self) -> str:
        """What relative imports start from."""
        return self.name if self.file.name == "__init__.py" else self.name.rpartition(".")[0]

    @cached_property
    def texts(self) -> list[str]:
        """The normal form of each statement."""
        return [form(node) for node in self.tree.body]

    @cached_property
    def pieces(self) -> list[Piece]:
        """Its statements in order; what only runs as a script is left out."""
        return [piece for place, node in enumerate(self.tree.body) if not is_script(node) for piece in self._pieces(place, node)]

    def _pieces(self, place: int, node: ast.stmt) -> Iterator[Piece]:
        if isinstance(node, ast.Import | ast.ImportFrom) and not is_future(node):
            yield from (Piece(self, place, node, alone) for alone in imports_of(node, self.package))
        elif not is_docstring(node):
            yield Piece(self, place, node)

    @cached_property
    def binding(self) -> dict[str, list[Piece]]:
        """The statements that bind or change each name, functions that do so by ``global`` included."""
        found: dict[str, list[Piece]] = {}
        for piece in self.pieces:
            for name in dict.fromkeys((*piece.binds, *sorted(piece.rebinds))):
                found.setdefault(name, []).append(piece)
        return found

    @cached_property
    def definitions(self) -> dict[str, list[ast.stmt]]:
        """The statements that bind each name at the top; several where it is bound several times. Imports are apart."""
        found: dict[str, list[ast.stmt]] = {}
        for piece in self.pieces:
            for name in () if piece.alone or is_future(piece.node) else piece.binds:
                found.setdefault(name, []).append(piece.node)
        return found

    @cached_property
    def effects(self) -> list[Piece]:
        """Statements that do something on import besides defining names, and what a ``__future__`` import changes."""
        return [piece for piece in self.pieces if piece.is_effect or is_future(piece.node)]

    @cached_property
    def imported(self) -> list[Import]:
        """Each import at the top, inside of ``if`` and ``try`` too."""
        return [one for piece in self.pieces for one in piece.imports]

    @cached_property
    def imports(self) -> dict[str, list[Target]]:
        """What each imported name stands for; several where it is imported several times."""
        found: dict[str, list[Target]] = {}
        for one in self.imported:
            if one.name != "*":
                found.setdefault(one.name, []).append(one.target)
        return found

    @cached_property
    def stars(self) -> list[str]:
        """Modules from which everything is imported."""
        return [one.loads for one in self.imported if one.name == "*"]

    @cached_property
    def globals(self) -> list[set[str]]:
        """For each statement, the names that its functions, lambdas and comprehensions take from the module."""
        found: list[set[str]] = [set() for _ in self.texts]
        texts = ["" if is_future(node) else text for node, text in zip(self.tree.body, self.texts, strict=True)]
        owners = [place for place, text in enumerate(texts) for _ in range(text.count("\n") + 1)]
        try:
            table = symtable.symtable("\n".join(texts), self.name, "exec")
        except SyntaxError as fault:
            line = self.tree.body[owners[(fault.lineno or 1) - 1]].lineno
            raise UsageError(f"{self.file.name}:{line}: {fault.msg}", mend="mend that statement") from None
        for child in table.get_children():
            found[owners[child.get_lineno() - 1]] |= _globals(child)
        return found


def _globals(table: symtable.SymbolTable) -> set[str]:
    found = set(table.get_globals()) if isinstance(table, symtable.Function) else set()
    return found.union(*map(_globals, table.get_children()))


def is_future(node: ast.stmt) -> bool:
    """Whether a statement changes how the module is compiled."""
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def form(node: ast.AST) -> str:
    """A syntax tree as text, without comments and layout.

    >>> form(ast.parse("x = (1)  # one")) == form(ast.parse("x=1"))
    True
    """
    return ast.unparse(node)


def without_docstrings(tree: ast.Module) -> ast.Module:
    """The same tree, without the docstrings of its functions, classes and attributes."""
    queue: list[ast.AST] = [tree]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.body = [inner for inner in node.body if not is_docstring(inner)] or [ast.Pass()]
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, block, ())
            queue += inner if isinstance(inner, list) else ()
    return tree
