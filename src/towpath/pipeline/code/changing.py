"""What is done on import to objects that other statements made: entries of a registry, settings, decorators that note what they decorate.

A statement that nobody names may still change what a step does, because it changed an object that the step reaches. So for every module
that is imported together with the pipeline, each statement that does something on import is asked which objects it may change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from towpath.pipeline.code.linking import Leads, Linker
from towpath.pipeline.code.names import Chain
from towpath.pipeline.code.syntax import Module, Piece
from towpath.pipeline.code.tree import Tree


class Changes:
    """``of`` maps a statement to those that may change what it made; ``everywhere`` may change libraries' settings, for every step."""

    def __init__(self, of: dict[Piece, list[Piece]], everywhere: list[Piece]) -> None:
        self.of, self.everywhere = of, everywhere


class Changing:
    """Remembers which modules are imported with which, and what each does to others."""

    def __init__(self, tree: Tree, linker: Linker) -> None:
        self._tree, self._linker = tree, linker
        self._with: dict[Module, tuple[Module, ...]] = {}
        self._done: dict[tuple[Module, ...], Changes] = {}

    def imported_with(self, module: Module) -> tuple[Module, ...]:
        """A module and the project's others that are imported with it, in the order in which they end."""
        if module not in self._with:
            found: dict[Module, None] = {}
            self._import(module, set(), found)
            self._with[module] = tuple(found)
        return self._with[module]

    def _import(self, module: Module, begun: set[Module], found: dict[Module, None]) -> None:
        if module in begun:
            return
        begun.add(module)
        for package in self._tree.above(module.name):
            self._import(package, begun, found)
        for one in module.imported:
            for name in dict.fromkeys((one.loads, ".".join(filter(None, one.target)))):
                other = self._tree.module(name)
                for each in (*self._tree.above(name), *([other] if other else [])):
                    self._import(each, begun, found)
        found[module] = None

    def by(self, modules: tuple[Module, ...]) -> Changes:
        """What the statements of some modules do to others."""
        if modules not in self._done:
            changes = Changes({}, [])
            for module in modules:
                for piece in module.pieces:
                    if not piece.alone and piece.uses.acts:
                        self._note(piece, changes)
            self._done[modules] = changes
        return self._done[modules]

    def _note(self, piece: Piece, changes: Changes) -> None:
        now = self._now(piece)
        leads = self._linker.by(piece, now, later=False)
        inner = self._linker.all_from(leads.pieces)
        executed = dict.fromkeys((*leads.pieces, *inner))
        for touched in self._touched(piece, now):
            changes.of.setdefault(touched, []).append(piece)
        if (piece.is_effect and _is_more_than_told(piece)) or _stores_outside(piece, leads):
            outside = leads.outside.union(*(self._linker.of(one).outside for one in executed))
            if outside:
                changes.everywhere.append(piece)

    def _now(self, piece: Piece) -> list[tuple[str, Chain]]:
        """The names that a statement takes on import; of base classes only those that do something when another class takes them."""
        idle = {name for name in piece.uses.bases if not any(map(_notes_classes, self._bases(piece, name)))}
        busy = {name for name, _ in piece.uses.alters} | {given for _, given in piece.uses.gives}
        names = piece.uses.now - (idle - busy)
        return [pair for pair in piece.pairs if pair[0] in names]

    def _bases(self, piece: Piece, name: str) -> Iterator[Piece]:
        found = self._linker.name(piece.module, name).pieces
        yield from (one for one in (*found, *self._linker.all_from(found)) if isinstance(one.node, ast.ClassDef))

    def _touched(self, piece: Piece, now: list[tuple[str, Chain]]) -> set[Piece]:
        """Objects that may be another thing afterwards: what can change and is more than computed with, and what is stored to."""
        busy = dict.fromkeys(self._linker.by(piece, [pair for pair in piece.busy if pair in now], later=False).pieces)
        queue = list(busy)
        while queue:
            more = [one for one in self._linker.busy(queue.pop()) if one not in busy]
            busy.update(dict.fromkeys(more))
            queue += more
        found = {one for one in busy if not one.is_fixed}
        for one in (piece, *busy):
            for name, chain in one.uses.alters if not one.alone else ():
                if name in one.takes:
                    found |= set(self._linker.name(one.module, name, chain, whole=False).pieces)
            for called, given in one.uses.gives if not one.alone else ():
                if given in one.takes and self._may_mark(one, called):
                    found |= set(self._linker.name(one.module, given).pieces)
        return {one for one in found if not one.alone and one is not piece}

    def _may_mark(self, piece: Piece, called: str) -> bool:
        """Whether a call may set something on a function or class that it is given: the project's own, and ``setattr``."""
        return called in ("setattr", "delattr") or bool(called in piece.takes and self._own(piece, called))

    def _own(self, piece: Piece, name: str) -> bool:
        return any(not one.alone for one in self._linker.name(piece.module, name).pieces)


def _notes_classes(piece: Piece) -> bool:
    node = piece.node
    return isinstance(node, ast.ClassDef) and (
        bool(node.keywords) or any(isinstance(part, ast.FunctionDef) and part.name == "__init_subclass__" for part in node.body)
    )


def _is_more_than_told(piece: Piece) -> bool:
    """Whether a statement does more than print."""
    node = piece.node
    return not (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "print"
    )


def _stores_outside(piece: Piece, leads: Leads) -> bool:
    """``os.environ["A"] = "1"``, ``pl.Config.rows = 5``: kept in a library, for all."""
    stored = {name for name in piece.binds if any(one.alone for one in piece.module.binding.get(name, ()))}
    return bool(leads.outside) and bool(stored) and isinstance(piece.node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete)
