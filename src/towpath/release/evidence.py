"""Evidence of a release that is valid at any time: e-values of counts, in log space. Pure.

An e-process E starts at 1 and, while its null hypothesis H0 holds, is a nonnegative supermartingale. So it ever reaches 1/alpha
with probability alpha at most (Ville), however often it is looked at. All here is a function of counts: the order of requests,
the merging of replicas and a restart change nothing.

Two bets on an event (an error, a slow answer, a wrong label):

- by arm: *given* an event, RR <= r says that the challenger had it with a probability of pi(w, r) = w r / (w r + 1 - w) at most.
  Whatever the base rate does, this holds. Lindon & Malek 2022, arXiv:2011.03567.
- by difference of the means, weighted by the propensity. It learns from requests without an event too. Waudby-Smith & Ramdas
  2020, arXiv:2010.09686.

In formulas: w is the challenger's propensity when a request was assigned, p1 and p0 are the arms' event rates, RR = p1 / p0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import exp, fsum, log, log1p

import msgspec

from towpath.errors import UsageError

HARM_STEPS = (1.1, 1.25, 1.5, 2.0, 3.0, 6.0, 20.0)  # r_k / r0: "w7", within 1.35 of the requests of a test that knows the effect
HARM_WEIGHTS = (0.10, 0.20, 0.25, 0.20, 0.12, 0.08, 0.05)
SAFE_RATIOS = (0.5, 0.8, 1.0)
SAFE_BELOW = 0.97  # an alternative nearer to the margin learns too slowly to be worth its weight
BETS = 14  # lambdas, each half of the one before, and weighted so: clean arms are learned by the largest
BET_LIMIT = 0.95  # share of the wealth that one request may cost

Pair = tuple[float, float]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """One stratum of one guard: requests and events of each arm under one ``share``.

    ``share`` is the challenger's propensity when the requests were assigned, between 0 and 1. Observed counts are whole; a
    forecast puts expected ones here. Counts of equal share add up.

    >>> Counts(share=0.1, challenger=5, challenger_events=1) + Counts(share=0.1, challenger=4, champion=80)
    Counts(share=0.1, challenger=9, challenger_events=1, champion=80, champion_events=0)
    """

    share: float
    challenger: float = 0
    challenger_events: float = 0
    champion: float = 0
    champion_events: float = 0

    def __post_init__(self) -> None:
        within = 0 <= self.challenger_events <= self.challenger and 0 <= self.champion_events <= self.champion
        if not within or not 0 < self.share < 1:
            raise UsageError(f"{self} cannot be", mend="a share lies between 0 and 1, and an arm's events between 0 and its requests")

    def __add__(self, other: Counts) -> Counts:
        if self.share != other.share:
            raise UsageError(
                f"counts of share {self.share:g} and of share {other.share:g} do not add up", mend="keep them as strata of their own"
            )
        return Counts(
            share=self.share,
            challenger=self.challenger + other.challenger,
            challenger_events=self.challenger_events + other.challenger_events,
            champion=self.champion + other.champion,
            champion_events=self.champion_events + other.champion_events,
        )


class Pairs(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that both arms answered (shadow): on how many only one of them had the event, and on how many ``both``.

    ``both`` may stay 0 where it is not known, as long as no harm ratio is over 1 and no safe one under 1: those would be tested on the
    pairs that differ alone, which is another question. It only makes the others slower.
    """

    requests: float = 0
    challenger_only: float = 0
    champion_only: float = 0
    both: float = 0

    def __post_init__(self) -> None:
        parts = (self.challenger_only, self.champion_only, self.both)
        if min(parts) < 0 or sum(parts) > self.requests:
            raise UsageError(f"{self} cannot be", mend="pairs with an event are part of the requests, and none is negative")

    def __add__(self, other: Pairs) -> Pairs:
        return Pairs(
            requests=self.requests + other.requests,
            challenger_only=self.challenger_only + other.challenger_only,
            champion_only=self.champion_only + other.champion_only,
            both=self.both + other.both,
        )


def harm(strata: Iterable[Counts], *, ratio: float = 1.0) -> float:
    """Log E against H0: RR <= ``ratio``. Grows when the challenger has events that its share does not explain.

    E = sum_k g_k prod_s (pi(w_s, r_k) / pi(w_s, r0))^a_s ((1 - pi(w_s, r_k)) / (1 - pi(w_s, r0)))^b_s with r0 = ``ratio``, the grid
    r_k of ``HARM_STEPS``, and a_s, b_s the events of challenger and champion in stratum s (Lindon & Malek 2022).

    >>> round(exp(harm([Counts(share=0.1, challenger=131, challenger_events=4, champion=1190)])))
    142
    """
    return _ratio(_events(strata), ratio, _harmful(ratio), HARM_WEIGHTS)


def safe_ratio(strata: Iterable[Counts], *, ratio: float) -> float:
    """Log E against H0: RR >= ``ratio``; the formula of :func:`harm` with alternatives below ``ratio``. Without events it stays 0."""
    alternatives = _harmless(ratio)
    return _ratio(_events(strata), ratio, alternatives, (1 / len(alternatives),) * len(alternatives))


def safe_difference(strata: Sequence[Counts], *, difference: float, means: Sequence[float]) -> float:
    """Log E against H0: p1 - p0 >= ``difference`` (d, between 0 and .5); it grows by about .95 d a challenger request without events.

    X = (A/w - (1-A)/(1-w)) (Y - m) has the mean p1 - p0; E = sum_k g_k prod (1 + l_k (d - X)) with l_k = .95 / (max X - d) 2^-k and
    g_k in proportion to 2^-k (Waudby-Smith & Ramdas 2020, a mixture of fixed bets, so that it merges exactly). ``means`` are the m:
    the champion's event rate, one a stratum, frozen before the stratum began. A wrong one costs requests, never validity.
    """
    if len(means) != len(strata):
        raise UsageError(f"{len(strata)} strata and {len(means)} means", mend="give the champion's mean of each stratum, in the same order")
    totals: dict[Pair, Counts] = {}
    for counts, mean in zip(strata, means, strict=True):
        key = (counts.share, mean)
        totals[key] = totals[key] + counts if key in totals else counts
    logs = list(_BET_LOGS)
    for (share, mean), total in sorted(totals.items()):
        a, b = total.challenger_events, total.champion_events
        cells = (a, total.challenger - a, b, total.champion - b)
        bets = _difference_bets(share, mean, difference)
        logs = [x + cells[0] * u + cells[1] * v + cells[2] * p + cells[3] * q for x, (u, v, p, q) in zip(logs, bets, strict=True)]
    return _log_sum(logs)


def safe(strata: Sequence[Counts], *, ratio: float, difference: float, means: Sequence[float]) -> float:
    """Log E against H0: RR >= ``ratio`` and p1 - p0 >= ``difference``. A challenger is safe when it keeps either margin.

    E = (E_ratio + E_difference) / 2. Each term is valid under its own null, and H0 lies in both; the larger of the two would not be.
    So an arm pair that never fails becomes safe by the difference, and one that fails often by the ratio.

    >>> clean = Counts(share=0.1, challenger=200, champion=1800)
    >>> exp(safe([clean], ratio=2.5, difference=0.02, means=[0.0])) > 5
    True
    """
    return _half(safe_ratio(strata, ratio=ratio), safe_difference(strata, difference=difference, means=means))


def harm_paired(pairs: Pairs, *, ratio: float = 1.0) -> float:
    """Log E against H0: RR <= ``ratio`` on requests that both arms answered.

    E = sum_k g_k (1 + l_k)^b (1 - l_k r0)^c (1 - l_k (r0 - 1))^both with l_k = (r_k - r0) / (r0 (1 + r_k)), b and c the pairs where only
    the challenger and only the champion had the event. With r0 = 1 this is :func:`harm` at w = 1/2: a sequential McNemar test.

    >>> pairs = Pairs(requests=500, challenger_only=9, champion_only=2)
    >>> alike = Counts(share=0.5, challenger=9, challenger_events=9, champion=2, champion_events=2)
    >>> abs(harm_paired(pairs) - harm([alike])) < 1e-12
    True
    """
    return _ratio_paired(pairs, ratio, _harmful(ratio), HARM_WEIGHTS)


def safe_paired(pairs: Pairs, *, ratio: float, difference: float) -> float:
    """Log E against H0: RR >= ``ratio`` and p1 - p0 >= ``difference``, on requests that both arms answered.

    E = (E_ratio + E_difference) / 2. E_ratio is the formula of :func:`harm_paired` with alternatives below ``ratio``; E_difference bets
    on D = Y1 - Y0 in {-1, 0, 1}: sum_k g_k prod (1 + l_k (d - D)), l_k = .95 / (1 - d) 2^-k. Where neither arm ever fails it still grows.

    >>> exp(safe_paired(Pairs(requests=500), ratio=2.5, difference=0.02)) > 5
    True
    """
    alternatives = _harmless(ratio)
    by_ratio = _ratio_paired(pairs, ratio, alternatives, (1 / len(alternatives),) * len(alternatives))
    b, c = pairs.challenger_only, pairs.champion_only
    bets = _paired_bets(difference)
    by_difference = _log_sum(
        [x + b * u + c * v + (pairs.requests - b - c) * n for x, (u, v, n) in zip(_BET_LOGS, bets, strict=True)],
    )
    return _half(by_ratio, by_difference)


def _events(strata: Iterable[Counts]) -> list[tuple[float, float, float]]:
    """Share, challenger's and champion's events; strata of equal share merged, in order of share, so that sums are exact and alike."""
    totals: dict[float, Pair] = {}
    for counts in strata:
        a, b = totals.get(counts.share, (0, 0))
        totals[counts.share] = (a + counts.challenger_events, b + counts.champion_events)
    return [(share, a, b) for share, (a, b) in sorted(totals.items())]


def _ratio(
    events: Iterable[tuple[float, float, float]], ratio: float, alternatives: tuple[float, ...], weights: tuple[float, ...]
) -> float:
    logs = [log(weight) for weight in weights]
    for share, a, b in events:
        logs = [x + a * u + b * v for x, (u, v) in zip(logs, _ratio_bets(share, ratio, alternatives), strict=True)]
    return _log_sum(logs)


def _ratio_paired(pairs: Pairs, ratio: float, alternatives: tuple[float, ...], weights: tuple[float, ...]) -> float:
    logs = []
    for weight, other in zip(weights, alternatives, strict=True):
        bet = (other - ratio) / (ratio * (1 + other))
        paid = pairs.challenger_only * log1p(bet) + pairs.champion_only * log1p(-bet * ratio)
        logs.append(log(weight) + paid + pairs.both * log1p(-bet * (ratio - 1)))
    return _log_sum(logs)


@lru_cache(maxsize=1024)
def _harmful(ratio: float) -> tuple[float, ...]:
    if not ratio > 0:
        raise UsageError(f"a ratio of {ratio:g} cannot be judged", mend="give a ratio above 0, such as 1.25")
    return tuple(ratio * step for step in HARM_STEPS)


@lru_cache(maxsize=1024)
def _harmless(ratio: float) -> tuple[float, ...]:
    if not ratio > 0:
        raise UsageError(f"a ratio of {ratio:g} cannot be judged", mend="give a ratio above 0, such as 1.25")
    return tuple(r for r in SAFE_RATIOS if r < SAFE_BELOW * ratio) or (ratio / 2,)


@lru_cache(maxsize=4096)
def _ratio_bets(share: float, ratio: float, alternatives: tuple[float, ...]) -> tuple[Pair, ...]:
    """For each alternative: what an event of the challenger and one of the champion add to its log E."""
    champion = [log((1 - share + share * ratio) / (1 - share + share * other)) for other in alternatives]
    return tuple((log(other / ratio) + b, b) for other, b in zip(alternatives, champion, strict=True))


@lru_cache(maxsize=4096)
def _difference_bets(share: float, mean: float, difference: float) -> tuple[tuple[float, float, float, float], ...]:
    """For each lambda: what a challenger request with and without event, and a champion request with and without event add to log E."""
    _check_difference(difference)
    if not 0 <= mean <= 1:
        raise UsageError(f"a champion's mean of {mean:g} is no event rate", mend="give a rate between 0 and 1")
    values = ((1 - mean) / share, -mean / share, -(1 - mean) / (1 - share), mean / (1 - share))
    largest = BET_LIMIT / (max(values) - difference)
    u, v, p, q = ([log1p(largest * 2.0**-k * (difference - x)) for k in range(BETS)] for x in values)
    return tuple(zip(u, v, p, q, strict=True))


@lru_cache(maxsize=1024)
def _paired_bets(difference: float) -> tuple[tuple[float, float, float], ...]:
    """For each lambda: what a pair with an event of the challenger only, of the champion only, and any other pair add to log E."""
    _check_difference(difference)
    largest = BET_LIMIT / (1 - difference)
    u, v, n = ([log1p(largest * 2.0**-k * (difference - x)) for k in range(BETS)] for x in (1, -1, 0))
    return tuple(zip(u, v, n, strict=True))


def _check_difference(difference: float) -> None:
    if not 0 < difference < 0.5:
        raise UsageError(f"a difference of {difference:g} cannot be judged", mend="give one between 0 and 0.5, such as 0.005")


def _log_sum(logs: Sequence[float]) -> float:
    top = max(logs)
    return top + log(fsum(exp(x - top) for x in logs))


def _half(one: float, other: float) -> float:
    return _log_sum((one, other)) - log(2)


_BET_LOGS = tuple(log(2.0**-k / sum(2.0**-j for j in range(BETS))) for k in range(BETS))
