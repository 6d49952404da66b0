"""Which functions are called after import, and which only on import, as a decorator that fills a table is."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from towpath.pipeline.code.lasting import Left
from towpath.pipeline.code.linking import Linker
from towpath.pipeline.code.names import Chain, dotted
from towpath.pipeline.code.syntax import Piece

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class _Mention(NamedTuple):
    """A name, in how many functions it stands, and how many calls one after another are made of it on import; 0 where it is held."""

    name: str
    chain: Chain
    depth: int
    calls: int


def after_import(
    left: dict[Piece, list[Left]], reached: Iterable[Piece], named: Iterable[Piece], linker: Linker
) -> dict[Piece, list[Left]]:
    """Of what functions leave behind, that which they leave when a step is executed.

    A decorator is called on import, and one that is given something twice; what they define within is called later.
    """
    mentions = {piece: list(_mentions(piece.node, 0)) for piece in reached if not piece.alone}
    begun: dict[Piece, int] = {}
    for piece, found in mentions.items():
        for one in found:
            if one.calls and not one.depth:
                for other in linker.name(piece.module, one.name, one.chain, whole=False).pieces:
                    begun[other] = max(begun.get(other, 0), one.calls)
    later = set(named)
    queue = [*later, *(piece for piece in begun if piece in mentions)]
    while queue:
        piece = queue.pop()
        above = 0 if piece in later else begun.get(piece, 1) + 1
        for one in mentions.get(piece, ()):
            if one.depth >= above and (one.depth or not one.calls):
                more = set(linker.name(piece.module, one.name, one.chain).pieces) - later
                later |= more
                queue += more
    return {piece: [one for one in found if piece in later or one.depth > begun.get(piece, 1)] for piece, found in left.items()}


def _mentions(node: ast.AST, depth: int) -> Iterator[_Mention]:
    calls = dict(_called(node)) if not depth else {}
    queue: list[tuple[ast.AST, int, int]] = [(node, depth, 0)]
    while queue:
        here, deep, count = queue.pop()
        name, chain = dotted(here)
        if name:
            yield _Mention(name, chain, deep, count or calls.get(id(here), 0))
            continue
        body = getattr(here, "body", []) if isinstance(here, _FUNCTIONS) else []
        inner = {id(one) for one in (body if isinstance(body, list) else [body])}
        queue += [(one, deep + (id(one) in inner), 0) for one in ast.iter_child_nodes(here)]


def _called(node: ast.AST) -> Iterator[tuple[int, int]]:
    """What is called, and how often one after another, by the place of its node."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            yield id(inner.func), 1
    for inner in ast.walk(node):
        for decorator in getattr(inner, "decorator_list", ()):
            yield (id(decorator.func), 2) if isinstance(decorator, ast.Call) else (id(decorator), 1)
