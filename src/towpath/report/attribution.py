"""What two versions differ in, and how much of the change of each metric comes from which layer. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import factorial

import msgspec

from towpath.data.difference import Difference
from towpath.pipeline.reasons import Change
from towpath.pipeline.reasons import in_words as change_in_words
from towpath.report import data_diff
from towpath.report.columns import aligned

LAYERS = ("data", "code", "parameters", "seed")  # those that can be swapped; distributions are those of this machine
MOST_CHANGES = 12
NOISE = 1e-12  # of sums of floating-point numbers
TEST_ROWS = "test rows"
Coalition = frozenset[str]  # the layers that are B's; the others are A's


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """What version ``b`` has that version ``a`` has not, layer by layer. ``rows``: why other rows count, though no file is another."""

    a: int
    b: int
    data: tuple[Difference, ...]
    rows: tuple[str, ...]
    code: tuple[Change, ...]
    parameters: tuple[Change, ...]
    seed: tuple[Change, ...]
    distributions: tuple[Change, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that differ, of those that can be swapped."""
        other_data = any(not one.files.is_same for one in self.data) or bool(self.rows)
        differs = {"data": other_data, "code": bool(self.code), "parameters": bool(self.parameters), "seed": bool(self.seed)}
        return tuple(layer for layer in LAYERS if differs[layer])


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How the change of a metric is made up: ``a`` and ``b`` are each version's figure on its own test rows, ``parts`` add up to ``b - a``.

    Where the data differ, ``test rows`` is a part too: what one and the same model has on the one rows and on the others.
    """

    metric: str
    a: float
    b: float
    parts: dict[str, float]


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """What each layer did, on the test rows of the data of version ``rows_of``; ``trouble`` says why there are no shares."""

    rows_of: int
    shares: tuple[Share, ...] = ()
    trouble: str = ""


class Attributed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `towpath why A B`. ``candidates``: how many were made."""

    apart: Apart
    candidates: int = 0
    attributions: tuple[Attribution, ...] = ()
    trouble: str = ""


def coalitions(layers: Sequence[str]) -> Iterator[Coalition]:
    """Every choice of layers that are swapped, from none to all."""
    for size in range(len(layers) + 1):
        yield from map(frozenset, combinations(layers, size))


def shapley(values: Mapping[Coalition, float], layers: Sequence[str]) -> dict[str, float]:
    """What each layer adds, on average over all orders in which they may be swapped; together just what all of them add.

    Source: L. S. Shapley, "A value for n-person games", Contributions to the Theory of Games II (1953) 307-317.

    >>> shapley({frozenset(): 0.5, frozenset({"data"}): 0.75, frozenset({"seed"}): 0.5, frozenset({"data", "seed"}): 1.0}, ["data", "seed"])
    {'data': 0.375, 'seed': 0.125}
    """
    exact = {chosen: Fraction(value) for chosen, value in values.items()}
    return {layer: float(_part(layer, exact, layers)) for layer in layers}


def _part(layer: str, values: Mapping[Coalition, Fraction], layers: Sequence[str]) -> Fraction:
    count = len(layers)
    before = [chosen for chosen in coalitions(layers) if layer not in chosen]
    weights = (Fraction(factorial(len(one)) * factorial(count - len(one) - 1), factorial(count)) for one in before)
    return sum((weight * (values[one | {layer}] - values[one]) for weight, one in zip(weights, before, strict=True)), Fraction(0))


def shares(
    here: Mapping[Coalition, Mapping[str, float]], a: Mapping[str, float], b: Mapping[str, float], layers: Sequence[str]
) -> tuple[Share, ...]:
    """Of every metric that all candidates have.

    Args:
        here: figures of all candidates on some test rows.
        a, b: figures of the two versions, each on its own test rows.
    """
    names = [name for name in a if name in b and all(name in figures for figures in here.values())]
    return tuple(_share(name, {chosen: figures[name] for chosen, figures in here.items()}, a[name], b[name], layers) for name in names)


def _share(name: str, here: Mapping[Coalition, float], a: float, b: float, layers: Sequence[str]) -> Share:
    moved = Fraction(b) - Fraction(here[frozenset(layers)]) + Fraction(here[frozenset()]) - Fraction(a)
    rows = {TEST_ROWS: float(moved)} if "data" in layers else {}
    return Share(metric=name, a=a, b=b, parts={**rows, **shapley(here, layers)})


def in_words(one: Attributed, width: int) -> str:
    """The differences, layer by layer; then a table of what each layer did to each metric."""
    apart = one.apart
    lines = [f"version {apart.a} -> version {apart.b}", *_data(apart)]
    for layer in ("code", "parameters", "seed", "distributions"):
        lines += _changes(layer, getattr(apart, layer))
    for found in one.attributions:
        lines += ["", *_attribution(found, apart, one.candidates, width)]
    return "\n".join([*lines, *(["", *textwrap.wrap(one.trouble, width)] if one.trouble else [])])


def _data(apart: Apart) -> Iterator[str]:
    found = [one for one in apart.data if not one.files.is_same]
    if not (found or apart.rows):
        yield "data: the same"
        return
    yield "data"
    if found:
        yield textwrap.indent(data_diff.differences(found), "  ")
    yield from (f"  {text}" for text in apart.rows)


def _changes(layer: str, changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        yield f"{layer}: the same"
        return
    yield layer
    for change in changes[:MOST_CHANGES]:
        yield f"  {change_in_words(change)}"
        yield from (f"    {line}" for line in change.diff)
    if len(changes) > MOST_CHANGES:
        yield f"  and {len(changes) - MOST_CHANGES:,} more"


def _attribution(one: Attribution, apart: Apart, candidates: int, width: int) -> Iterator[str]:
    said = f"on the test rows of version {one.rows_of}'s data"
    if one.trouble:
        yield from textwrap.wrap(f"what each layer did {said} is not told: {one.trouble}", width)
        return
    how = f"{candidates:,} candidates, each layer swapped in every order"
    yield from textwrap.wrap(f"what each layer did {said}, as each candidate's code makes them ({how}):", width)
    layers = [*one.shares[0].parts] if one.shares else []
    head = ("metric", f"version {apart.a}", f"version {apart.b}", "difference", *layers)
    rows = [
        (share.metric, f"{share.a:.4g}", f"{share.b:.4g}", _signed(share.b - share.a), *(_signed(share.parts[layer]) for layer in layers))
        for share in one.shares
    ]
    yield aligned([head, *rows], right=range(1, len(head)), indent="  ")


def _signed(value: float) -> str:
    return f"{value:+.4f}" if abs(value) >= 0.00005 else "0" if abs(value) < NOISE else f"{value:+.1e}"
