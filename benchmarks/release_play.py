"""A release in a simulated world, under the policy that decides real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from towpath.release import Action, Canary, Counts, Pairs, Plan, Seen, Shadow, decide

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class World:
    """Event rates by guard: of the champion, and how many times them (plus what) the challenger has; requests between two looks."""

    champion: dict[str, float]
    times: dict[str, float] = field(default_factory=dict)
    plus: dict[str, float] = field(default_factory=dict)
    requests: int = 1_000
    drift: Callable[[int], float] = lambda _: 1.0


def play(plan: Plan, world: World, generator: np.random.Generator, looks: int = 2_160) -> tuple[Action, int, int]:
    """A whole release under ``decide``, a look each 10 s: how it ended, all requests, requests that the challenger answered for users."""
    counted: list[dict[str, Counts]] = [{} for _ in plan.stages]
    pairs = dict.fromkeys(world.champion, Pairs())
    index, now, entered, asked, exposed = 0, START, START, 0, 0
    for look in range(looks):
        stage = plan.stages[index]
        now, asked = now + timedelta(seconds=10), asked + world.requests
        ours = generator.binomial(world.requests, stage.share) if isinstance(stage, Canary) else 0
        exposed += ours
        for name, base in world.champion.items():
            well = base * world.drift(look)
            ill = well * world.times.get(name, 1.0) + world.plus.get(name, 0.0)
            if isinstance(stage, Shadow):
                pairs[name] = pairs[name] + _pairs(generator, world.requests, ill, well)
            else:
                more = _counts(generator, stage.share, ours, world.requests - ours, (ill, well))
                counted[index][name] = counted[index][name] + more if name in counted[index] else more
        decision = decide(plan, _seen(plan, world, counted, pairs, (index, entered)), now)
        if decision.action is Action.WIDEN:
            index, entered = index + 1, now
        elif decision.action is not Action.HOLD:
            return decision.action, asked, exposed
    return Action.HOLD, asked, exposed


def _pairs(generator: np.random.Generator, requests: int, ill: float, well: float) -> Pairs:
    b, c, d, _ = generator.multinomial(requests, [ill * (1 - well), well * (1 - ill), ill * well, (1 - ill) * (1 - well)]).tolist()
    return Pairs(requests=requests, challenger_only=b, champion_only=c, both=d)


def _counts(generator: np.random.Generator, share: float, ours: int, theirs: int, rates: tuple[float, float]) -> Counts:
    a, b = int(generator.binomial(ours, rates[0])), int(generator.binomial(theirs, rates[1]))
    return Counts(share=share, challenger=ours, challenger_events=a, champion=theirs, champion_events=b)


def _seen(plan: Plan, world: World, counted: list[dict[str, Counts]], pairs: dict[str, Pairs], at: tuple[int, datetime]) -> Seen:
    strata = {name: tuple(stage[name] for stage in counted if name in stage) for name in world.champion}
    means = {name: (base,) * len(strata[name]) for name, base in world.champion.items()}
    return Seen(stage_index=at[0], entered_at=at[1], started_at=START, guards=strata, pairs=pairs, means=means)
