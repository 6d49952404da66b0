"""What a function can reach: the project's own definitions by name, across modules, and the libraries they import.

Followed in the syntax trees alone, so nothing is run. What a reached module does on import besides defining names counts for everything
in it; what any imported module does on import to an object counts for whatever reaches that object. What is looked up or read while
running cannot be followed: it is named as a weakness, never passed over in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import msgspec

from towpath.pipeline.code import weaknesses
from towpath.pipeline.code.changing import Changes, Changing
from towpath.pipeline.code.lasting import Left, left_by
from towpath.pipeline.code.later import after_import
from towpath.pipeline.code.linking import Leads, Linker
from towpath.pipeline.code.listed import STATE
from towpath.pipeline.code.names import Import
from towpath.pipeline.code.sliced import sliced
from towpath.pipeline.code.syntax import IMPORT, Module, Piece
from towpath.pipeline.code.tree import Tree

ORDER = "<order>"


class Reached(msgspec.Struct, frozen=True):
    """``code`` maps ``module:name`` to a normal form of its source; ``imports`` are modules from outside the project."""

    code: dict[str, str]
    imports: frozenset[str]


class Project(Tree):
    """A project's tree, and what its functions can reach in it."""

    def __init__(self, root: Path, pipeline: str, only: str = "") -> None:
        super().__init__(root, pipeline, only)
        self._linker = Linker(self)
        self._changing = Changing(self, self._linker)
        self._weak: dict[tuple[Piece, bool], list[str]] = {}
        self._left: dict[Piece, list[Left]] = {}

    def reach(self, function: str) -> Reached:
        """Everything that a function of the pipeline can reach."""
        walk = _Walk(self.pipeline, function, self._linker, self._changing)
        return Reached(_code(walk), frozenset(walk.outside))

    def weaknesses(self, function: str, module: Module | None = None) -> tuple[str, ...]:
        """What cannot be known of a function of the pipeline, or of another module, and of all that it can reach: places, in words."""
        walk = _Walk(module or self.pipeline, function, self._linker, self._changing)
        found = []
        for piece in walk.reached:
            known_by = piece, piece in walk.named
            if known_by not in self._weak:
                self._weak[known_by] = [self._at(piece, line, words) for line, words in weaknesses.of(piece, is_step=known_by[1])]
            found += self._weak[known_by]
        return tuple(sorted({*found, *self._lasting(walk)}))

    def _lasting(self, walk: _Walk) -> Iterator[str]:
        """What of it keeps state."""
        for piece in walk.reached:
            if piece not in self._left:
                self._left[piece] = left_by(piece, self._linker)
        left = {piece: found for piece in walk.reached if (found := self._left[piece])}
        for piece, found in (after_import(left, walk.reached, walk.named, self._linker) if left else {}).items():
            yield from (self._at(piece, one.line, weaknesses.in_words(one.shown, STATE)) for one in found)

    def _at(self, piece: Piece, line: int, words: str) -> str:
        return f"{piece.module.file.relative_to(self.root).as_posix()}:{line}: {words}"

    def slice(self, function: str) -> dict[str, bytes]:
        """Sources that hold what a function can reach and nothing else, by path relative to the folder on the import path.

        A server gets these for `features`: it imports what that function needs, not what training needs.
        """
        walk = _Walk(self.pipeline, function, self._linker, self._changing)
        by_module: dict[Module, list[Piece]] = {module: [] for module in walk.entered}
        for piece in walk.reached:
            by_module.setdefault(piece.module, []).append(piece)
        kept = {module.name for module in by_module}
        changing = {piece.module.name for piece in walk.joined}

        def is_there(one: Import) -> bool:
            return bool({one.loads, ".".join(one.target)} & kept) or not self.is_own(one.loads)

        def beside(one: Import) -> list[str]:
            loaded = self.module(one.loads)
            return [other.name for other in (self._changing.imported_with(loaded) if loaded else ()) if other.name in changing]

        ordered = sorted(by_module.items(), key=lambda item: item[0].name)
        return {module.path: sliced(module, pieces, is_there, beside).encode() for module, pieces in ordered}


class _Walk:
    """One walk from a name of the pipeline. ``named`` is what that name leads to by itself.

    ``done`` are statements that are there for what they do on import; ``joined`` those of them that do it to what others made.
    """

    def __init__(self, module: Module, name: str, linker: Linker, changing: Changing) -> None:
        self._linker, self._changing = linker, changing
        self._changes: list[Changes] = []
        self.loaded: dict[Module, None] = {}  # in the order of importing
        self._queue: list[Piece] = []
        self.reached: dict[Piece, None] = {}
        self.entered: dict[Module, None] = {}
        self.outside: set[str] = set()
        self.joined: set[Piece] = set()
        self.done: set[Piece] = set()
        start = linker.name(module, name)
        self.named = start.pieces
        self._go(start)
        while self._queue:
            self._go(linker.of(self._queue.pop()))

    def _go(self, leads: Leads) -> None:
        self.outside |= leads.outside
        for module in leads.modules:
            if module not in self.entered:
                self.entered[module] = None
                self._load(module)
                self.done.update(module.effects)
                for piece in module.effects:
                    self._take(piece)
        for piece in leads.pieces:
            self._take(piece)

    def _load(self, module: Module) -> None:
        if module in self.loaded:
            return
        loaded = tuple(one for one in self._changing.imported_with(module) if one not in self.loaded)
        self.loaded.update(dict.fromkeys(loaded))
        changes = self._changing.by(loaded)
        self._changes.append(changes)
        self._join(changes.everywhere)
        self._join([one for piece in self.reached for one in changes.of.get(piece, ())])

    def _join(self, pieces: Iterable[Piece]) -> None:
        """Take what nobody named, for what it does to others."""
        for piece in pieces:
            self.joined.add(piece)
            self.done.add(piece)
            self._take(piece)

    def _take(self, piece: Piece) -> None:
        if piece in self.reached:
            return
        self.reached[piece] = None
        self._queue.append(piece)
        for changes in tuple(self._changes):
            self._join(changes.of.get(piece, ()))


def _code(walk: _Walk) -> dict[str, str]:
    """The text of what was reached by ``module:name``; and of each module the order of what depends on order."""
    found: dict[str, list[str]] = {}
    doing = {piece.module.name for piece in walk.done}
    ordered = sorted(walk.reached, key=lambda piece: (piece.module.name, piece.place))
    for module, group in groupby(ordered, key=lambda piece: piece.module.name):
        pieces = list(group)
        for piece in pieces:
            found.setdefault(f"{module}:{piece.label}", []).append(piece.text)
        order = _order(pieces, walk.done, doing) if len(pieces) > 1 else []
        if len(order) > 1:
            found[f"{module}:{ORDER}"] = order
    if len(doing) > 1:
        found[f"{IMPORT}:{ORDER}"] = [module.name for module in walk.loaded if module.name in doing]
    return {key: "\n".join(texts) for key, texts in sorted(found.items())}


def _order(pieces: list[Piece], done: set[Piece], doing: set[str]) -> list[str]:
    """What would come out otherwise in another order: names that are bound twice or changed, and whatever is read on import."""
    binding: dict[str, list[Piece]] = {}
    for piece in pieces:
        for name in piece.binds:
            binding.setdefault(name, []).append(piece)
    involved = {piece for piece in pieces if piece in done or piece.is_star}
    involved |= {piece for several in binding.values() if len(several) > 1 for piece in several}
    for piece in pieces:
        if not piece.alone:
            read = {one for name in piece.uses.now for one in binding.get(name, ()) if one is not piece and not one.alone}
            involved |= {piece, *read} if read else set()
    if any(piece in done for piece in involved):
        involved |= {piece for piece in pieces if piece.alone and piece.alone.loads in doing}
    return [piece.label for piece in pieces if piece in involved]
