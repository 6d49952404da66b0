"""What to do next in a release: hold, widen, promote, roll back or give up. Pure: the same counts and time, the same decision.

A plan is frozen when its release starts. Any change of guards, margins, error level or thresholds is another release.

Rules, the first that holds:

1. some guard shows harm: E >= guards / alpha (Bonferroni: valid however the guards depend on one another)   -> roll back
2. the timeout is over                                                                                      -> inconclusive
3. paused                                                                                                   -> hold
4. a shadow has its pairs, or a canary its dwell and requests, and every guard is safe at the level's
   margins with E >= widen_at                                                                               -> widen
5. the same at the last stage, at the guards' own margins with E >= promote_at (intersection-union)         -> promote
6. otherwise                                                                                                -> hold
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from math import log10

import msgspec
from blake3 import blake3

from towpath.errors import UsageError
from towpath.quantities import written
from towpath.release.evidence import Counts, Pairs, harm, harm_paired, safe, safe_paired

_LOG_10 = 2.302585092994046


class Shadow(msgspec.Struct, frozen=True, kw_only=True, tag="shadow"):
    """The challenger answers ``requests`` beside the champion; nobody sees its answers."""

    requests: int = 500

    def __post_init__(self) -> None:
        if self.requests < 1:
            raise UsageError(f"a shadow of {self.requests} requests shows nothing", mend="leave it out, or give it at least one request")


class Canary(msgspec.Struct, frozen=True, kw_only=True, tag="canary"):
    """The challenger answers a ``share`` of the requests, between 0 and 1 without both."""

    share: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise UsageError(
                f"a canary of {self.share:.0%} compares nothing",
                mend="give a share over 0 % and under 100 %: both arms must answer; after the last canary comes the promotion",
            )


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """An event that the challenger must not have more often: ``errors``, ``latency_p99`` (slower than a frozen cut) or ``loss``.

    To promote, its rate must be shown to lie under ``ratio`` times the champion's or under the champion's plus ``difference``.
    A rate shown to lie over ``harm_ratio`` times the champion's rolls back.
    """

    name: str
    ratio: float = 1.25
    difference: float = 0.005
    harm_ratio: float = 1.0

    def __post_init__(self) -> None:
        if self.ratio <= 0 or self.harm_ratio <= 0 or not 0 < self.difference < 0.5:
            raise UsageError(f"{self} cannot be judged", mend="give ratios above 0, such as 1.25, and a difference between 0 and 0.5")


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """Margins to widen at shares up to ``share``: the smaller the share, the less a wrong step costs, and the wider they are."""

    share: float
    ratio: float
    difference: float


LEVELS = (
    Level(share=0.02, ratio=4.0, difference=0.05),
    Level(share=0.10, ratio=2.5, difference=0.02),
    Level(share=1.0, ratio=1.6, difference=0.01),
)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A release, from its first stage to its promotion.

    ``alpha`` bounds the probability of a false rollback in the shadow, and again in the canary; ``1 / promote_at`` that of a false
    promotion. ``requests_min`` challenger requests at each level guard the instruments, not the statistics.
    """

    stages: tuple[Shadow | Canary, ...]
    guards: tuple[Guard, ...] = (Guard(name="errors"), Guard(name="latency_p99"), Guard(name="loss"))
    alpha: float = 0.05
    widen_at: float = 5.0
    promote_at: float = 20.0
    dwell: timedelta = timedelta(minutes=1)
    timeout: timedelta = timedelta(days=30)
    requests_min: int = 100
    levels: tuple[Level, ...] = LEVELS

    def __post_init__(self) -> None:
        if self.stages and not self.guards:
            raise UsageError("a release with stages has no guards", mend="declare guards: without one, nothing could ever show harm")
        if not 0 < self.alpha < 1 or min(self.widen_at, self.promote_at) <= 1:
            raise UsageError(f"alpha {self.alpha:g} and thresholds cannot decide", mend="alpha lies between 0 and 1, thresholds above 1")

    @property
    def harm_at(self) -> float:
        """The e-value at which one guard rolls back."""
        return len(self.guards) / self.alpha


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was observed of a release, by guard: the canary's strata so far in ``guards``, the shadow's requests in ``pairs``.

    Only requests whose outcome is due count, in order of assignment. ``means`` are the champion's event rates as they were frozen when
    each of the strata began, in the strata's order; a guard without means is judged with 0, which costs requests.
    """

    stage_index: int
    entered_at: datetime
    started_at: datetime
    guards: dict[str, tuple[Counts, ...]] = {}
    pairs: dict[str, Pairs] = {}
    paused: bool = False
    means: dict[str, tuple[float, ...]] = {}


class Action(StrEnum):
    """What to do now."""

    HOLD = "hold"  # stay as it is and look again
    WIDEN = "widen"  # enter the next stage
    PROMOTE = "promote"  # the challenger becomes the champion
    ROLL_BACK = "roll back"  # harm was shown
    INCONCLUSIVE = "inconclusive"  # its time is over without either


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """An action, one sentence ``because`` for people, and the ``numbers`` it was made from: ``GUARD.NAME`` and thresholds."""

    action: Action
    because: str
    numbers: dict[str, float] = {}


class Margins(msgspec.Struct, frozen=True, kw_only=True):
    """A guard is safe when E >= ``threshold`` against H0: RR >= ``ratio`` and p1 - p0 >= ``difference``."""

    ratio: float
    difference: float
    threshold: float


def margins(plan: Plan, guard: Guard, stage_index: int) -> Margins:
    """What a guard must keep for the release to leave a stage: at the last one its own margins, before that those of the level.

    A level goes by the share of the stage, a shadow by that of the stage after it; no level is narrower than the guard itself.
    """
    if stage_index == len(plan.stages) - 1:
        return Margins(ratio=guard.ratio, difference=guard.difference, threshold=plan.promote_at)
    share = next((stage.share for stage in plan.stages[stage_index:] if isinstance(stage, Canary)), 1.0)
    level = next((level for level in plan.levels if share <= level.share), plan.levels[-1])
    return Margins(ratio=max(level.ratio, guard.ratio), difference=max(level.difference, guard.difference), threshold=plan.widen_at)


class _Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One guard at the present stage; e-values as log10, ``counted`` the challenger's requests at this stage."""

    guard: Guard
    margins: Margins
    harm: float
    safe: float
    counted: float
    numbers: dict[str, float]
    sentence: str


def decide(plan: Plan, seen: Seen, now: datetime) -> Decision:
    """What to do next in a release: the rules above, in their order."""
    judged = [_judge(plan, guard, seen) for guard in plan.guards]
    numbers = {"harm_at": plan.harm_at, "safe_at": judged[0].margins.threshold}
    numbers |= {f"{one.guard.name}.{key}": value for one in judged for key, value in one.numbers.items()}
    action, because = _rule(plan, seen, judged, now)
    return Decision(action=action, because=because, numbers=numbers)


def _rule(plan: Plan, seen: Seen, judged: Sequence[_Judged], now: datetime) -> tuple[Action, str]:
    worst = max(judged, key=lambda one: one.harm)
    if worst.harm >= log10(plan.harm_at):
        return Action.ROLL_BACK, f"{worst.guard.name}: {worst.sentence}; e-value {_e(worst.harm)} >= {plan.harm_at:,.0f}"
    if now - seen.started_at >= plan.timeout:
        return Action.INCONCLUSIVE, f"neither safe nor harmful within {plan.timeout / timedelta(days=1):g} days; {_short_of(judged)}"
    if seen.paused:
        return Action.HOLD, "paused by an operator; harm would still roll it back"
    waiting = _waiting(plan, seen, judged, now)
    if waiting:
        return Action.HOLD, waiting
    action = Action.PROMOTE if seen.stage_index == len(plan.stages) - 1 else Action.WIDEN
    return action, "; ".join(f"{one.guard.name}: {one.sentence}, safe e-value {_e(one.safe)}" for one in judged) + (
        f"; each >= {judged[0].margins.threshold:g}"
    )


def _waiting(plan: Plan, seen: Seen, judged: Sequence[_Judged], now: datetime) -> str:
    """What is still missing before the release may leave its stage; empty when nothing is."""
    stage = plan.stages[seen.stage_index]
    least = plan.requests_min
    if isinstance(stage, Shadow):
        most = max(one.counted for one in judged)
        if most < stage.requests:
            return f"{most:,.0f} of {stage.requests:,} shadowed requests seen"
        least = min(least, stage.requests)
    elif now - seen.entered_at < plan.dwell:
        return f"entered {_whole(now - seen.entered_at)} ago; it stays {written(plan.dwell)} at least"
    few = min(judged, key=lambda one: one.counted)
    if few.counted < least:
        return f"{few.guard.name}: {few.counted:,.0f} of {least:,} challenger requests counted at this stage"
    return "" if all(one.safe >= log10(one.margins.threshold) for one in judged) else _short_of(judged)


def _whole(span: timedelta) -> str:
    return written(timedelta(seconds=round(span.total_seconds())))


def _short_of(judged: Sequence[_Judged]) -> str:
    least = min(judged, key=lambda one: one.safe)
    asked = least.margins
    limits = f"{asked.ratio:g}x or {100 * asked.difference:g} points more than the champion"
    return f"{least.guard.name}: {least.sentence}; safe e-value {_e(least.safe)} of {asked.threshold:g} (limit {limits})"


def _judge(plan: Plan, guard: Guard, seen: Seen) -> _Judged:
    stage, asked = plan.stages[seen.stage_index], margins(plan, guard, seen.stage_index)
    if isinstance(stage, Shadow):
        return _judge_pairs(guard, asked, seen.pairs.get(guard.name, Pairs()))
    strata = seen.guards.get(guard.name, ())
    means = seen.means.get(guard.name) or (0.0,) * len(strata)
    total = {
        "challenger": sum(s.challenger for s in strata),
        "challenger_events": sum(s.challenger_events for s in strata),
        "champion": sum(s.champion for s in strata),
        "champion_events": sum(s.champion_events for s in strata),
    }
    harmful = harm(strata, ratio=guard.harm_ratio) / _LOG_10
    harmless = safe(strata, ratio=asked.ratio, difference=asked.difference, means=means) / _LOG_10
    return _Judged(
        guard=guard,
        margins=asked,
        harm=harmful,
        safe=harmless,
        counted=sum(s.challenger for s in strata if s.share == stage.share),
        numbers={"log10_harm": harmful, "log10_safe": harmless, **total},
        sentence=f"{total['challenger_events']:,.0f} of {total['challenger']:,.0f} challenger requests {_had(guard)}, "
        f"{total['champion_events']:,.0f} of {total['champion']:,.0f} of the champion",
    )


def _judge_pairs(guard: Guard, asked: Margins, pairs: Pairs) -> _Judged:
    harmful = harm_paired(pairs, ratio=guard.harm_ratio) / _LOG_10
    harmless = safe_paired(pairs, ratio=asked.ratio, difference=asked.difference) / _LOG_10
    return _Judged(
        guard=guard,
        margins=asked,
        harm=harmful,
        safe=harmless,
        counted=pairs.requests,
        numbers={"log10_harm": harmful, "log10_safe": harmless, **msgspec.structs.asdict(pairs)},
        sentence=f"of {pairs.requests:,.0f} shadowed requests {pairs.challenger_only:,.0f} {_had(guard)} only at the challenger, "
        f"{pairs.champion_only:,.0f} only at the champion",
    )


def _had(guard: Guard) -> str:
    return {"errors": "failed", "latency_p99": "were slow", "loss": "were wrong"}.get(guard.name, "had the event")


def _e(log10_value: float) -> str:
    """An e-value for people, from its log10."""
    return f"10^{log10_value:,.0f}" if abs(log10_value) >= 4 else f"{10**log10_value:,.3g}"


def arm(salt: str, key: str, share: float) -> bool:
    """Whether the challenger answers requests of ``key``: H64(salt || key) / 2^64 < ``share``.

    A wider share only adds keys. ``salt`` is the release's, so that it is not always the same users who meet challengers.
    """
    return int.from_bytes(blake3((salt + key).encode()).digest(length=8), "little") < share * 2.0**64
