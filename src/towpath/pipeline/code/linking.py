"""Which statements a statement leads to: by the names that it takes, through imports, across the project's modules."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from towpath.pipeline.code.names import Chain, Target
from towpath.pipeline.code.syntax import Module, Piece
from towpath.pipeline.code.tree import Tree

ITSELF: Collection[Chain] = ((),)


class Leads:
    """Where names lead: to ``pieces``, by way of the project's ``modules``, and to modules from ``outside``."""

    def __init__(self) -> None:
        self.pieces: dict[Piece, None] = {}  # in the order in which they were found
        self.modules: dict[Module, None] = {}
        self.outside: set[str] = set()


class Linker:
    """Remembers for each statement where it leads."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._known: dict[Piece, Leads] = {}
        self._busy: dict[Piece, set[Piece]] = {}

    def of(self, piece: Piece) -> Leads:
        """Where a statement leads: in one step, by all names that it takes."""
        if piece not in self._known:
            self._known[piece] = Leads() if piece.alone else self.by(piece, piece.pairs)
        return self._known[piece]

    def by(self, piece: Piece, pairs: Iterable[tuple[str, Chain]], *, later: bool = True) -> Leads:
        """Where a statement leads by some of the names that it takes, and by the imports in its functions."""
        found = _Following(self._tree)
        for name, chain in pairs:
            found.name(piece.module, name, chain)
        for one in piece.uses.later if later else ():
            for chain in piece.uses.chains.get(one.name) or ITSELF:
                found.target(one.target, chain)
        return found.leads

    def busy(self, piece: Piece) -> set[Piece]:
        """Where a statement leads by the names of which it does more than compute with them."""
        if piece not in self._busy:
            self._busy[piece] = set() if piece.alone else set(self.by(piece, piece.busy).pieces)
        return self._busy[piece]

    def name(self, module: Module, name: str, chain: Chain = (), *, whole: bool = True) -> Leads:
        """Where a name at the top of a module leads; where that is another module, to all in it if ``whole``."""
        found = _Following(self._tree, whole=whole)
        found.name(module, name, chain)
        return found.leads

    def all_from(self, start: Iterable[Piece]) -> dict[Piece, None]:
        """Every statement that can be reached from some, themselves left out unless they are reached again."""
        found: dict[Piece, None] = {}
        queue = list(start)
        while queue:
            for piece in self.of(queue.pop()).pieces:
                if piece not in found:
                    found[piece] = None
                    queue.append(piece)
        return found


class _Following:
    """One question: names are followed until they are no longer imports."""

    def __init__(self, tree: Tree, *, whole: bool = True) -> None:
        self._tree, self._whole, self.leads = tree, whole, Leads()
        self._seen: set[tuple[str, str, Chain]] = set()

    def name(self, module: Module, name: str, chain: Chain) -> bool:
        """Follow a name at the top of a module; False where the module has none such."""
        self.leads.modules[module] = None
        pieces = module.binding.get(name, ())
        if (module.name, name, chain) in self._seen:
            return bool(pieces)
        self._seen.add((module.name, name, chain))
        for piece in pieces:
            self.leads.pieces[piece] = None
            for one in piece.imports:
                if one.name == name:
                    self.target(one.target, chain)
        stars = [self._star(module, origin, name, chain) for origin in module.stars]
        return bool(pieces) or any(stars)  # of several that bind it, the last one counts; which that is, may depend on `__all__`

    def _star(self, module: Module, origin: str, name: str, chain: Chain) -> bool:
        """Whether a module may have ``name`` from ``origin`` by a star; one from outside may have any."""
        other = self._tree.module(origin)
        if other is None:
            if not self._tree.is_own(origin.partition(".")[0]):
                self._outside(module, origin)
            return False
        part = f"{origin}.{name}"
        if self._tree.is_own(part):  # that `__all__` may name
            self._attribute(part, chain)
        if name.startswith("__") or not (self.name(other, name, chain) or self._tree.is_own(part)):
            return False
        for piece in (*other.binding.get("__all__", ()), *(one for one in module.pieces if one.is_star)):
            self.leads.pieces[piece] = None
        return True

    def _outside(self, module: Module, origin: str) -> None:
        self.leads.outside.add(origin.partition(".")[0])
        for piece in module.pieces:
            if piece.is_star:
                self.leads.pieces[piece] = None

    def target(self, target: Target, chain: Chain) -> None:
        """Follow what an import stands for."""
        origin, inner = target
        if not self._tree.is_own(origin.partition(".")[0]):
            self.leads.outside.add(origin.partition(".")[0])
        elif inner:
            self._attribute(origin, (inner, *chain))
        else:
            self._attribute(origin, chain)

    def _attribute(self, base: str, chain: Chain) -> None:
        """``base.a.b``: a name in a module or a module in a package; all of the module where it names neither."""
        module = self._tree.module(base)
        if not chain:
            for one in (*([module] if module else []), *(self._tree.below(base) if self._whole else ())):
                self._all(one)
            return
        there = module is not None and self.name(module, chain[0], chain[1:])
        part = f"{base}.{chain[0]}"
        if self._tree.is_own(part) and not (module and _is_from(module, chain[0], part)):
            self._attribute(part, chain[1:])
        elif module and not there:
            self._all(module)  # its `__getattr__`, or what it was given while running

    def _all(self, module: Module) -> None:
        for name in module.binding if self._whole else ():
            self.name(module, name, ())


def _is_from(module: Module, name: str, part: str) -> bool:
    """Whether a package's ``from .a import a`` hides its module ``a`` behind what is in it."""
    return any(origin == part and inner for origin, inner in module.imports.get(name, ()))
