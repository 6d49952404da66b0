"""A grid: every combination once, in an order of the seed's, so that a budget that ends early has seen all parts of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from math import gcd, prod

from towpath.project_fields import Scalar
from towpath.search.port import Question, Study
from towpath.search.spaces import values_of
from towpath.search.trials import Parameters, Tried


class Grid:
    """``pruning`` is asked which trials are to be given up, where a pruner is declared."""

    def __init__(self, question: Question, pruning: Study | None = None) -> None:
        self._values = {name: values_of(one) for name, one in question.space.items()}
        self._places = _scattered(prod(map(len, self._values.values())), question.seed)
        self._begun: set[tuple[tuple[type, Scalar], ...]] = set()
        self._pruning = pruning

    def propose(self, number: int) -> Parameters | None:
        for place in self._places:
            chosen = self._at(place)
            if self._key(chosen) not in self._begun:
                self.begin(number, chosen)
                return chosen
        return None

    def begin(self, number: int, parameters: Parameters) -> None:
        self._begun.add(self._key(parameters))
        if self._pruning:
            self._pruning.begin(number, parameters)

    def prunes(self, number: int, values: Sequence[float]) -> bool:
        return self._pruning.prunes(number, values) if self._pruning else False

    def end(self, tried: Tried) -> None:
        if self._pruning:
            self._pruning.end(tried)

    def _at(self, place: int) -> dict[str, Scalar]:
        chosen: dict[str, Scalar] = {}
        for name, values in self._values.items():
            place, which = divmod(place, len(values))
            chosen[name] = values[which]
        return chosen

    def _key(self, parameters: Parameters) -> tuple[tuple[type, Scalar], ...]:
        return tuple((type(parameters[name]), parameters[name]) for name in self._values)


def _scattered(size: int, seed: int) -> Iterator[int]:
    """The numbers below ``size``, each once, far from each other, without a list of them."""
    chance = random.Random(seed)
    begin = chance.randrange(size)
    step = next(step for _ in iter(int, 1) if gcd(step := chance.randrange(1, size + 1), size) == 1)
    return ((begin + number * step) % size for number in range(size))
