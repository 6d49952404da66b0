"""How often releases decide wrongly, simulated with the functions that decide; seeds fixed, so that a failure is a change.

Bounds of false decisions are 5 % plus what chance allows in so many repeats (99.9 %).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from towpath.release import Action, Canary, Counts, Guard, Plan, Seen, decide
from towpath.release.evidence import harm, safe

START = datetime(2026, 3, 1, tzinfo=UTC)
LOOK = timedelta(seconds=10)


def allowed(repeats: int) -> int:
    """False decisions that a true rate of 5 % exceeds once in a thousand test runs."""
    return int(stats.binom.ppf(0.999, repeats, 0.05))


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_equal_arms_are_rolled_back_rarely_however_often_they_are_looked_at(share: float) -> None:
    """Looked at after every event: between events, harm does not move."""
    generator, repeats = np.random.default_rng(5), 300
    false = 0
    for _ in range(repeats):
        ours = np.cumsum(generator.random(400) < share)
        looks = (
            harm([Counts(share=share, challenger=a, challenger_events=a, champion=n - a, champion_events=n - a)])
            for n, a in enumerate(ours.tolist(), 1)
        )
        false += any(value >= np.log(20) for value in looks)
    assert false <= allowed(repeats)


@pytest.mark.parametrize(("share", "champion", "challenger"), [(0.05, 0.0, 0.005), (0.5, 0.02, 0.025), (0.5, 0.05, 0.0625)])
def test_a_challenger_at_both_margins_is_promoted_rarely(share: float, champion: float, challenger: float) -> None:
    generator, repeats = np.random.default_rng(6), 300
    false = 0
    for _ in range(repeats):
        ours = np.cumsum(generator.binomial(400, share, 150))
        theirs = 400 * np.arange(1, 151) - ours
        events = np.cumsum(generator.binomial(np.diff(ours, prepend=0), challenger))
        others = np.cumsum(generator.binomial(np.diff(theirs, prepend=0), champion))
        looks = zip(ours.tolist(), events.tolist(), theirs.tolist(), others.tolist(), strict=True)
        false += any(
            safe(
                [Counts(share=share, challenger=n, challenger_events=a, champion=m, champion_events=b)],
                ratio=1.25,
                difference=0.005,
                means=[champion],
            )
            >= np.log(20)
            for n, a, m, b in looks
        )
    assert false <= allowed(repeats)


@dataclass(frozen=True)
class World:
    """Event rates of each guard by arm, and how many requests there are between two looks."""

    champion: tuple[float, float, float]
    challenger: tuple[float, float, float]
    requests: int = 100


GUARDS = ("errors", "latency_p99", "loss")


def play(plan: Plan, world: World, generator: np.random.Generator, looks: int = 2_000) -> tuple[Action, int, int]:
    """A whole release under ``decide``: how it ended, how many requests in all, how many of them the challenger answered."""
    totals = [np.zeros((3, 4), dtype=int) for _ in plan.stages]
    now, entered, index, asked = START, START, 0, 0
    for _ in range(looks):
        stage = plan.stages[index]
        assert isinstance(stage, Canary)
        ours = generator.binomial(world.requests, stage.share)
        theirs = world.requests - ours
        for row, (ill, well) in enumerate(zip(world.challenger, world.champion, strict=True)):
            totals[index][row] += [ours, generator.binomial(ours, ill), theirs, generator.binomial(theirs, well)]
        now, asked = now + LOOK, asked + world.requests
        decision = decide(plan, seen(plan, totals, world, index, entered), now)
        if decision.action is Action.WIDEN:
            index, entered = index + 1, now
        elif decision.action is not Action.HOLD:
            return decision.action, asked, sum(int(total[0, 0]) for total in totals)
    return Action.HOLD, asked, sum(int(total[0, 0]) for total in totals)


def seen(plan: Plan, totals: list[np.ndarray], world: World, index: int, entered: datetime) -> Seen:
    strata = {
        name: tuple(
            Counts(share=stage.share, challenger=n, challenger_events=a, champion=m, champion_events=b)
            for stage, (n, a, m, b) in zip(plan.stages, (total[row].tolist() for total in totals[: index + 1]), strict=False)
        )
        for row, name in enumerate(GUARDS)
    }
    means = {name: (world.champion[row],) * (index + 1) for row, name in enumerate(GUARDS)}
    return Seen(stage_index=index, entered_at=entered, started_at=START, guards=strata, means=means)


RAMP = Plan(stages=(Canary(share=0.1), Canary(share=0.5)), guards=tuple(Guard(name=name) for name in GUARDS))


def test_arms_that_never_fail_are_promoted_every_time() -> None:
    """No event ever: the difference of the means still learns, and the ramp does not stand still."""
    clean = World(champion=(0, 0, 0), challenger=(0, 0, 0))
    ends = [play(RAMP, clean, np.random.default_rng(seed)) for seed in range(40)]
    assert {action for action, _, _ in ends} == {Action.PROMOTE}
    assert np.median([asked for _, asked, _ in ends]) <= 4_000


def test_equal_arms_with_events_are_promoted_and_seldom_rolled_back() -> None:
    equal = World(champion=(0.002, 0.01, 0.15), challenger=(0.002, 0.01, 0.15), requests=500)
    ends = [play(RAMP, equal, np.random.default_rng(seed)) for seed in range(100)]
    back = sum(action is Action.ROLL_BACK for action, _, _ in ends)
    assert back <= allowed(100)
    assert sum(action is Action.PROMOTE for action, _, _ in ends) == 100 - back


def test_three_per_cent_of_failures_are_rolled_back_after_about_120_challenger_requests() -> None:
    failing = World(champion=(0, 0.01, 0.15), challenger=(0.03, 0.01, 0.15), requests=20)
    ends = [play(RAMP, failing, np.random.default_rng(seed)) for seed in range(300)]
    assert {action for action, _, _ in ends} == {Action.ROLL_BACK}
    assert 80 <= np.median([exposed for _, _, exposed in ends]) <= 150
