"""How often releases decide wrongly, and what they expose until they decide rightly: the figures of docs/release-simulation.md.

    python -m benchmarks.release_simulation [--json] [--repeats 1000]

One-guard tables are vectorised (and checked against towpath.release.evidence); whole releases run ``decide`` itself.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.release_play import START, World, play
from towpath.release import Action, Canary, Counts, Guard, Pairs, Plan, Seen, Shadow, decide, expected_requests
from towpath.release.evidence import BETS, HARM_STEPS, HARM_WEIGHTS, harm, safe, safe_paired

Floats = NDArray[np.float64]
Row = dict[str, Any]
BET_WEIGHTS = 2.0 ** -np.arange(BETS) / np.sum(2.0 ** -np.arange(BETS))


def row(work: str, ours: float, unit: str, bound: str, holds: bool, **peers: float) -> Row:
    return {"work": work, "ours": ours, "unit": unit, "peers": peers, "bound": bound, "goal": bound, "holds": bool(holds)}


def mixture(weights: Floats, logs: Iterator[Floats]) -> Floats:
    """log sum_k g_k exp(log W_k), one array a k."""
    total: Floats | None = None
    for weight, one in zip(weights, logs, strict=True):
        term = np.log(weight) + one
        total = term if total is None else np.logaddexp(total, term)
    assert total is not None
    return total


def harm_of(share: float, ours: NDArray[Any], events: NDArray[Any]) -> Floats:
    """Log E of harm for arrays of challenger's and all events under one share."""
    logs = (ours * np.log(step) - events * np.log1p(share * (step - 1)) for step in HARM_STEPS)
    return mixture(np.array(HARM_WEIGHTS), logs)


def safe_of(share: float, mean: float, cells: tuple[NDArray[Any], ...], ratio: float = 1.25, difference: float = 0.005) -> Floats:
    """Log E of safe for arrays of (challenger, its events, champion, its events) under one share."""
    n, a, m, b = cells
    values = ((1 - mean) / share, -mean / share, -(1 - mean) / (1 - share), mean / (1 - share))
    largest = 0.95 / (max(values) - difference)
    bets = (
        sum(c * np.log1p(largest * 2.0**-k * (difference - x)) for c, x in zip((a, n - a, b, m - b), values, strict=True))
        for k in range(BETS)
    )
    others = [r for r in (0.5, 0.8, 1.0) if r < 0.97 * ratio]
    ratios = (a * np.log(r / ratio) + (a + b) * np.log((1 - share + share * ratio) / (1 - share + share * r)) for r in others)
    return np.logaddexp(mixture(BET_WEIGHTS, bets), mixture(np.full(len(others), 1 / len(others)), ratios)) - np.log(2)


def check_vectors() -> None:
    """The arrays give what the functions that decide give."""
    counts = Counts(share=0.1, challenger=900, challenger_events=13, champion=8_000, champion_events=70)
    cells = tuple(np.array([x]) for x in (900, 13, 8_000, 70))
    assert abs(harm_of(0.1, np.array([13]), np.array([83]))[0] - harm([counts])) < 1e-9
    assert abs(safe_of(0.1, 0.01, cells)[0] - safe([counts], ratio=1.25, difference=0.005, means=[0.01])) < 1e-9


def equal_arms(repeats: int, events: int = 20_000) -> list[Row]:
    """False rollback of one guard, looked at after every event: as continuous as it can be. Peer: a z-test of the share at each look."""
    rows = []
    for share in (0.01, 0.05, 0.10, 0.50):
        generator, ours, naive = np.random.default_rng(1), 0, 0
        seen = np.arange(1, events + 1)
        for _ in range(0, repeats, 50):
            a = np.cumsum(generator.random((50, events)) < share, axis=1)
            ours += int((harm_of(share, a, seen) >= np.log(20)).any(axis=1).sum())
            z = (a - seen * share) / np.sqrt(seen * share * (1 - share))
            naive += int((z[:, 100:] >= 1.645).any(axis=1).sum())
        rows.append(
            row(
                f"equal arms, share {share:.0%}: rolled back",
                ours / repeats,
                "share",
                "<= .05",
                ours <= 0.05 * repeats,
                z_test=naive / repeats,
            )
        )
    return rows


AT_MARGIN = ((0.0, 0.005), (0.001, 0.006), (0.01, 0.015), (0.02, 0.025), (0.05, 0.0625), (0.22, 0.275))


def at_the_margin(repeats: int, looks: int = 1_000, each: int = 200) -> list[Row]:
    """False promotion of one guard where both margins are just exceeded; looked at every 200 requests up to 200,000."""
    rows = []
    for share in (0.05, 0.50):
        for champion, challenger in AT_MARGIN:
            generator = np.random.default_rng(2)
            n = generator.binomial(each, share, (repeats, looks))
            a, b = generator.binomial(n, challenger), generator.binomial(each - n, champion)
            cells = tuple(np.cumsum(x, axis=1) for x in (n, a, each - n, b))
            false = float((safe_of(share, champion, cells) >= np.log(20)).any(axis=1).mean())
            rows.append(
                row(f"at the margin {champion:g} -> {challenger:g}, share {share:.0%}: promoted", false, "share", "<= .05", false <= 0.05)
            )
    return rows


def shadow_at_the_margin(repeats: int) -> list[Row]:
    """The same for paired requests of a shadow; half of the champion's events also at the challenger."""
    rows = []
    for champion, challenger in AT_MARGIN[::2]:
        generator, false = np.random.default_rng(3), 0
        chances = (challenger - champion / 2, champion / 2, champion / 2)
        for _ in range(repeats // 2):
            steps = np.cumsum(generator.multinomial(400, [*chances, 1 - sum(chances)], 100), axis=0)
            pairs = (
                Pairs(requests=400 * n, challenger_only=b, champion_only=c, both=d) for n, (b, c, d, _) in enumerate(steps.tolist(), 1)
            )
            false += any(safe_paired(pair, ratio=1.25, difference=0.005) >= np.log(20) for pair in pairs)
        share = false / (repeats // 2)
        rows.append(row(f"shadow at the margin {champion:g} -> {challenger:g}: safe", share, "share", "<= .05", share <= 0.05))
    return rows


def detection(repeats: int, most: int = 4_000) -> list[Row]:
    """Challenger requests until one guard rolls back, alone (threshold 20) and as one of three (60)."""
    rows = []
    for share in (0.05, 0.10, 0.50):
        for champion, challenger in ((0.01, 0.015), (0.01, 0.03), (0.01, 0.10), (0.0, 0.03)):
            generator = np.random.default_rng(4)
            rate = share * challenger + (1 - share) * champion
            ours = generator.random((repeats, most)) < share * challenger / rate
            gaps = generator.geometric(rate, (repeats, most)) - 1
            without = generator.binomial(gaps, share * (1 - challenger) / (1 - rate))
            exposed = np.cumsum(without + ours, axis=1)
            evidence = harm_of(share, np.cumsum(ours, axis=1), np.arange(1, most + 1))
            for guards in (1, 3):
                hit = evidence >= np.log(20 * guards)
                found = np.take_along_axis(exposed, hit.argmax(axis=1)[:, None], axis=1)[:, 0]
                median = float(np.median(np.where(hit.any(axis=1), found, np.inf)))
                name = f"{champion:g} -> {challenger:g}, share {share:.0%}, {guards} guard(s): challenger requests to rollback"
                limit = 200 if (champion, share, guards) == (0, 0.10, 3) else np.inf
                rows.append(row(name, median, "median", f"<= {limit:g}", median <= limit))
    return rows


def releases(name: str, plan: Plan, world: World, repeats: int, rule: Rule) -> Row:
    ends = [play(plan, world, np.random.default_rng(seed)) for seed in range(repeats)]
    back, up = (sum(action is wanted for action, _, _ in ends) / repeats for wanted in (Action.ROLL_BACK, Action.PROMOTE))
    extra = {
        "promoted": up,
        "median_requests": float(np.median([asked for _, asked, _ in ends])),
        "median_exposed": float(np.median([exposed for _, _, exposed in ends])),
        "mean_exposed": round(float(np.mean([exposed for _, _, exposed in ends])), 1),
    }
    return {**row(name, back, "rolled back", rule[0], rule[1](back, up)), **extra}


Rule = tuple[str, Callable[[float, float], bool]]  # of the shares rolled back and promoted
SELDOM_BACK: Rule = ("rolled back <= .05", lambda back, up: back <= 0.05)
SELDOM_UP: Rule = ("promoted <= .05", lambda back, up: up <= 0.05)
ALWAYS_UP: Rule = ("promoted 1", lambda back, up: up == 1)
EITHER: Rule = ("either is right", lambda back, up: True)
ONE = (Guard(name="errors"),)
RAMP = Plan(stages=tuple(Canary(share=share) for share in (0.01, 0.05, 0.25, 0.50)), guards=ONE)
FULL = Plan(stages=(Shadow(requests=500), Canary(share=0.1), Canary(share=0.5)))
USUAL = {"errors": 0.002, "latency_p99": 0.01, "loss": 0.15}


def whole_ramps(repeats: int) -> list[Row]:
    """Ramp 1-5-25-50 %, one guard, 100 requests a second looked at every 10 s, at most 6 hours.

    At 1 %, RR 1.1 and 1.25 keep the difference of half a point: to promote them is right, to roll them back is right too. From RR 1.5 on,
    and at 5 % from 1.25 on, both margins are reached, and a promotion is false.
    """
    worlds = [(0.01, ratio) for ratio in (1.0, 0.9, 1.1, 1.25, 1.5, 2.0, 3.0, 10.0)] + [(0.05, ratio) for ratio in (1.0, 1.25, 1.5, 2.0)]
    rows = []
    for base, ratio in worlds:
        rule = SELDOM_BACK if ratio <= 1 else SELDOM_UP if base * (ratio - 1) >= 0.005 else EITHER
        rows.append(
            releases(
                f"ramp, {base:.0%} events, RR {ratio:g}", RAMP, World(champion={"errors": base}, times={"errors": ratio}), repeats, rule
            )
        )
    drift = World(champion={"errors": 0.01}, drift=lambda look: min(2.0, 1 + look / 100))
    rows.append(releases("ramp, RR 1, base rate drifts 1 -> 2 %", RAMP, drift, repeats, SELDOM_BACK))
    rows.append(releases("ramp, neither arm ever fails", RAMP, World(champion={"errors": 0.0}), repeats, ALWAYS_UP))
    return rows


def full_releases(repeats: int) -> list[Row]:
    """Shadow 500, canary 10 and 50 %, three guards; looked at every 50 requests while small, so that exposure is not the cadence's."""
    clean = dict.fromkeys(USUAL, 0.0)
    only = Plan(stages=(Canary(share=0.1), Canary(share=0.5)))
    return [
        releases("full release, equal arms", FULL, World(champion=USUAL, requests=200), repeats, SELDOM_BACK),
        releases("full release, neither arm ever has an event", FULL, World(champion=clean, requests=50), repeats, ALWAYS_UP),
        releases("full release, loss 15 -> 18.75 %", FULL, World(champion=USUAL, times={"loss": 1.25}, requests=200), repeats, SELDOM_UP),
        releases("full release, loss 15 -> 30 %", FULL, World(champion=USUAL, times={"loss": 2.0}, requests=50), repeats, SELDOM_UP),
        releases("full release, errors .2 -> 3 %", FULL, World(champion=USUAL, plus={"errors": 0.028}, requests=50), repeats, SELDOM_UP),
        releases(
            "canary 10 % first, errors 0 -> 3 %",
            only,
            World(champion={**USUAL, "errors": 0}, plus={"errors": 0.03}, requests=10),
            repeats,
            SELDOM_UP,
        ),
    ]


def cost() -> list[Row]:
    """Microseconds of one evaluation: harm and safe of four strata, and a whole decision of three guards."""
    strata = tuple(
        Counts(share=w, challenger=900, challenger_events=9, champion=9_000, champion_events=80) for w in (0.01, 0.05, 0.25, 0.5)
    )
    means = (0.01,) * 4
    seen = Seen(stage_index=3, entered_at=START, started_at=START, guards={"errors": strata}, means={"errors": means})
    works: dict[str, Callable[[], object]] = {
        "harm": lambda: harm(strata),
        "safe": lambda: safe(strata, ratio=1.25, difference=0.005, means=means),
        "decide, one guard": lambda: decide(RAMP, seen, START),
    }
    rows = []
    for name, call in works.items():
        best = min(_seconds(call) for _ in range(5))
        rows.append(row(f"cost of {name}, four strata", round(best * 1e6, 1), "us", "<= 50", best <= 50e-6))
    return rows


def _seconds(call: Callable[[], object], times: int = 2_000) -> float:
    begin = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - begin) / times


def forecasts() -> list[Row]:
    """What is said before the release starts, beside the medians above."""
    plans = {"ramp, 1 %": (RAMP, {"errors": 0.01}), "full release, usual rates": (FULL, USUAL), "full release, no events": (FULL, {})}
    return [
        row(f"forecast: {name}", expected_requests(plan, rates).requests, "requests", "", True) for name, (plan, rates) in plans.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeats", type=int, default=1_000)
    asked = parser.parse_args()
    check_vectors()
    rows = [*equal_arms(asked.repeats), *at_the_margin(asked.repeats), *shadow_at_the_margin(asked.repeats), *detection(asked.repeats)]
    rows += [*whole_ramps(asked.repeats), *full_releases(asked.repeats), *forecasts(), *cost()]
    if asked.json:
        print(json.dumps(rows))
        return
    for one in rows:
        rest = {key: value for key, value in one.items() if key not in {"work", "ours", "unit", "peers", "bound", "goal", "holds"}} | one[
            "peers"
        ]
        print(f"{'ok ' if one['holds'] else 'NOT'} {one['work']:<72} {one['ours']:>9,.4g} {one['unit']:<11} {one['bound']:<18}", rest or "")


if __name__ == "__main__":
    main()
