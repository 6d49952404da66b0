"""How many requests a release takes when the arms are equal: said before it starts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import accumulate
from math import ceil, inf, log

import msgspec

from towpath.release.evidence import Counts, Pairs, safe, safe_paired
from towpath.release.policy import Canary, Guard, Plan, Shadow, margins

MOST = 10**9  # requests of one stage; beyond that a release never ends
COARSE = 0.01  # a stage's requests are found to this share of themselves


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of both arms together: of each stage, and of all; ``inf`` where equal arms would never pass."""

    stages: tuple[float, ...]
    slowest: tuple[str, ...]  # of each stage the guard that takes longest; empty where the least number of requests does

    @property
    def requests(self) -> float:
        """Of the whole release."""
        return sum(self.stages)

    def duration(self, requests_per_day: float) -> timedelta:
        """How long that takes; the delay of labels comes on top, once a stage. ``timedelta.max`` where it never ends."""
        days = self.requests / requests_per_day if requests_per_day > 0 else inf
        return timedelta(days=days) if days < timedelta.max.days else timedelta.max


def expected_requests(plan: Plan, rates: Mapping[str, float]) -> Forecast:
    """The expected length of a release whose challenger is as good as its champion, from the evidence of expected counts.

    ``rates`` are the champion's event rates by guard (missing: 0). In shadow, events of the arms are taken as independent: two models
    that fail on the same requests are through sooner. Dwell and the delay of labels are not in it.
    """
    sizes: list[float] = []
    slowest: list[str] = []
    for index, stage in enumerate(plan.stages):
        least = float(stage.requests) if isinstance(stage, Shadow) else ceil(plan.requests_min / stage.share)
        needs = {guard.name: _needed(plan, guard, sizes, index, rates.get(guard.name, 0.0)) for guard in plan.guards}
        slow = max(needs, key=lambda name: needs[name])
        sizes.append(max(least, needs[slow]))
        slowest.append(slow if needs[slow] > least else "")
    return Forecast(stages=tuple(sizes), slowest=tuple(slowest))


def _needed(plan: Plan, guard: Guard, sizes: list[float], index: int, rate: float) -> float:
    """Requests of stage ``index`` until one guard is safe there; ``sizes`` are those of the stages before."""
    if inf in sizes:
        return 0.0
    doubled = accumulate(range(60), lambda size, _: size * 2, initial=8)
    high = next((size for size in doubled if _is_safe(plan, guard, [*sizes, size], index, rate)), inf)
    low = high / 2
    if high > MOST:
        return inf
    while high - low > max(1.0, COARSE * high):
        middle = (low + high) / 2
        low, high = (low, middle) if _is_safe(plan, guard, [*sizes, middle], index, rate) else (middle, high)
    return ceil(high)


def _is_safe(plan: Plan, guard: Guard, sizes: list[float], index: int, rate: float) -> bool:
    asked = margins(plan, guard, index)
    if isinstance(plan.stages[index], Shadow):
        split = sizes[index] * rate * (1 - rate)
        pairs = Pairs(requests=sizes[index], challenger_only=split, champion_only=split, both=sizes[index] * rate**2)
        return safe_paired(pairs, ratio=asked.ratio, difference=asked.difference) >= log(asked.threshold)
    strata = [
        _expected(stage.share, size, rate) for stage, size in zip(plan.stages[: index + 1], sizes, strict=True) if isinstance(stage, Canary)
    ]
    means = [rate] * len(strata)
    return safe(strata, ratio=asked.ratio, difference=asked.difference, means=means) >= log(asked.threshold)


def _expected(share: float, requests: float, rate: float) -> Counts:
    ours, theirs = share * requests, (1 - share) * requests
    return Counts(share=share, challenger=ours, challenger_events=ours * rate, champion=theirs, champion_events=theirs * rate)
