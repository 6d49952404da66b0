"""Where the nodes of a graph stand on a picture: in layers, with few crossings, each near to what it hangs together with. Pure.

After K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures", IEEE Transactions on Systems,
Man, and Cybernetics 11 (1981) 109-125: layers by longest way, bends where an edge passes a layer, order by the mean place of neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

SWEEPS, SETTLED = 24, 201  # over all layers: for their order, and for the places; the last one of these goes forward
BEND = 0.35  # of the room of a node: what an edge needs to pass a layer


class Place(NamedTuple):
    """``layer`` counts from 0; ``across`` is in units of a node with its room."""

    layer: int
    across: float


class Laid(NamedTuple):
    """Where each node stands, and through which places each edge (from, to) leads, its ends among them."""

    nodes: dict[str, Place]
    edges: dict[tuple[str, str], list[Place]]

    @property
    def depth(self) -> int:
        """How many layers there are."""
        return 1 + max((place.layer for place in self.nodes.values()), default=-1)

    @property
    def breadth(self) -> float:
        """How far the widest layers reach across."""
        return 1 + max((place.across for places in self.edges.values() for place in places), default=0.0)


def laid(takes: Mapping[str, Sequence[str]]) -> Laid:
    """Places for all nodes, each behind those that it takes.

    >>> laid({"a": (), "b": (), "c": ("a", "b")}).nodes
    {'a': Place(layer=0, across=0.0), 'b': Place(layer=0, across=1.0), 'c': Place(layer=1, across=0.5)}
    """
    layer = _layers(takes)
    chains = {(one, name): _chain(one, name, layer) for name, inputs in takes.items() for one in inputs}
    layers = _filled(takes, layer, chains)
    before, after = _neighbours(chains)
    layers = _untangled(layers, before, after)
    across = _straightened(layers, before, after)
    level = {node: number for number, nodes in enumerate(layers) for node in nodes}
    places = {node: Place(level[node], across[node]) for node in level}
    return Laid({name: places[name] for name in takes}, {edge: [places[node] for node in chain] for edge, chain in chains.items()})


def _layers(takes: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The longest way to each node; what takes nothing stands right before the first that takes it."""
    layer: dict[str, int] = {}
    for name, inputs in takes.items():
        layer[name] = 1 + max((layer[one] for one in inputs), default=-1)
    first: dict[str, int] = {}
    for name, inputs in takes.items():
        for one in inputs:
            first[one] = min(layer[name], first.get(one, layer[name]))
    return {name: first[name] - 1 if not takes[name] and name in first else place for name, place in layer.items()}


def _chain(one: str, other: str, layer: Mapping[str, int]) -> list[str]:
    """The edge's ends, and a bend for each layer in between."""
    return [one, *(f"{one}\0{other}\0{number}" for number in range(layer[one] + 1, layer[other])), other]


def _filled(takes: Mapping[str, Sequence[str]], layer: Mapping[str, int], chains: Mapping[tuple[str, str], list[str]]) -> list[list[str]]:
    layers: list[list[str]] = [[] for _ in range(1 + max(layer.values(), default=-1))]
    for name in takes:
        layers[layer[name]].append(name)
    for (one, _), chain in chains.items():
        for number, bend in enumerate(chain[1:-1], layer[one] + 1):
            layers[number].append(bend)
    return layers


def _neighbours(chains: Mapping[tuple[str, str], list[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for chain in chains.values():
        for one, other in pairwise(chain):
            before.setdefault(other, []).append(one)
            after.setdefault(one, []).append(other)
    return before, after


def _untangled(layers: list[list[str]], before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> list[list[str]]:
    """The order with the fewest crossings of those that sweeps over the layers, to and fro, come by."""
    best, fewest = layers, crossings(layers, after)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        layers = [[*nodes] for nodes in layers]
        numbers = range(1, len(layers)) if sweep % 2 == 0 else range(len(layers) - 2, -1, -1)
        for number in numbers:
            beside, near = (layers[number - 1], before) if sweep % 2 == 0 else (layers[number + 1], after)
            place = {node: at for at, node in enumerate(beside)}
            own = {node: at for at, node in enumerate(layers[number])}
            layers[number].sort(key=lambda node: _mean([place[one] for one in near.get(node, ())], own[node]))
        if (count := crossings(layers, after)) < fewest:
            best, fewest = layers, count
    return best


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def crossings(layers: Sequence[Sequence[str]], after: Mapping[str, Sequence[str]]) -> int:
    """How many pairs of edges between neighbouring layers cross."""
    count = 0
    for here, beyond in pairwise(layers):
        place = {node: at for at, node in enumerate(beyond)}
        ends = [end for node in here for end in sorted(place[one] for one in after.get(node, ()))]
        count += sum(end < earlier for number, end in enumerate(ends) for earlier in ends[:number])
    return count


def _straightened(layers: Sequence[Sequence[str]], before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> dict[str, float]:
    """Places across, in the order of each layer, as near as may be to the mean of the neighbours'; the first is 0."""
    across = {node: float(at) for nodes in layers for at, node in enumerate(nodes)}
    for sweep in range(SETTLED):
        for nodes in layers if sweep % 2 == 0 else reversed(layers):
            beside = (_beside(node, before, after, last=sweep == SETTLED - 1) for node in nodes)
            wanted = [_mean([across[one] for one in near], across[node]) for node, near in zip(nodes, beside, strict=True)]
            across |= zip(nodes, _apart(wanted, [BEND if "\0" in node else 1.0 for node in nodes]), strict=True)
    least = min(across.values(), default=0.0)
    return {node: round(place - least, 3) + 0.0 for node, place in across.items()}


def _beside(node: str, before: Mapping[str, list[str]], after: Mapping[str, list[str]], *, last: bool) -> list[str]:
    """The neighbours that a node is to be near to; in the ``last`` sweep a chain follows its first, so that it is straight."""
    ahead, behind = before.get(node, []), after.get(node, [])
    return ahead if last and len(ahead) == 1 and len(after[ahead[0]]) == 1 else [*ahead, *behind]


def _apart(wanted: Sequence[float], rooms: Sequence[float]) -> list[float]:
    """The places nearest to those wanted, by squares, that keep their order and their room: pooled where they get in each other's way."""
    offset = [0.0]
    for one, other in pairwise(rooms):
        offset.append(offset[-1] + (one + other) / 2)
    pools: list[tuple[float, int]] = []  # mean, and how many
    for place, off in zip(wanted, offset, strict=False):
        pools.append((place - off, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (mean, count), (other, more) = pools[-2:]
            pools[-2:] = [((mean * count + other * more) / (count + more), count + more)]
    places = [mean for mean, count in pools for _ in range(count)]
    return [place + off for place, off in zip(places, offset, strict=False)]
