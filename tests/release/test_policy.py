"""Each rule of a decision, one by one, and the laws that hold whatever was counted."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.errors import UsageError
from towpath.release import Action, Canary, Counts, Decision, Guard, Pairs, Plan, Seen, Shadow, arm, decide
from towpath.release.policy import margins

law = settings(deadline=None, derandomize=True)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = START + timedelta(minutes=5)
GUARDS = ("errors", "latency_p99", "loss")
PLAN = Plan(stages=(Shadow(requests=500), Canary(share=0.1), Canary(share=0.5)))


def canary(index: int = 1, *, paused: bool = False, **counts: tuple[Counts, ...]) -> Seen:
    return Seen(stage_index=index, entered_at=START, started_at=START, guards=counts, paused=paused)


def shadow(*, paused: bool = False, **pairs: Pairs) -> Seen:
    return Seen(stage_index=0, entered_at=START, started_at=START, pairs=pairs, paused=paused)


def clean(challenger: int, share: float = 0.1) -> tuple[Counts, ...]:
    return (Counts(share=share, challenger=challenger, champion=round(challenger * (1 - share) / share)),)


def every(counts: tuple[Counts, ...]) -> dict[str, tuple[Counts, ...]]:
    return dict.fromkeys(GUARDS, counts)


def test_harm_rolls_back_and_says_the_counts() -> None:
    bad = (Counts(share=0.1, challenger=131, challenger_events=4, champion=1190),)
    decision = decide(PLAN, canary(**{**every(clean(131)), "errors": bad}), LATER)
    assert decision.action is Action.ROLL_BACK
    assert decision.because == "errors: 4 of 131 challenger requests failed, 0 of 1,190 of the champion; e-value 142 >= 60"
    assert decision.numbers["errors.challenger_events"] == 4
    assert decision.numbers["errors.log10_harm"] > math.log10(decision.numbers["harm_at"])


def test_the_threshold_of_harm_is_shared_by_the_guards() -> None:
    """Three events in 98: e-value 25, enough for one guard (20), not for each of three (60)."""
    bad = (Counts(share=0.1, challenger=98, challenger_events=3, champion=890),)
    alone = Plan(stages=PLAN.stages, guards=(Guard(name="errors"),))
    assert decide(alone, canary(errors=bad), LATER).action is Action.ROLL_BACK
    assert decide(PLAN, canary(**{**every(clean(98)), "errors": bad}), LATER).action is Action.HOLD


def test_harm_comes_before_timeout_and_pause() -> None:
    bad = (Counts(share=0.1, challenger=200, challenger_events=20, champion=1800),)
    seen = canary(paused=True, **{**every(clean(200)), "loss": bad})
    assert decide(PLAN, seen, START + timedelta(days=40)).action is Action.ROLL_BACK


def test_harm_in_shadow_rolls_back() -> None:
    decision = decide(PLAN, shadow(errors=Pairs(requests=100, challenger_only=12)), LATER)
    assert decision.action is Action.ROLL_BACK
    assert "12 failed only at the challenger" in decision.because


def test_time_over_is_inconclusive_and_names_the_guard_that_is_short() -> None:
    counts = {**every(clean(400)), "loss": ()}
    decision = decide(PLAN, canary(**counts), START + timedelta(days=30))
    assert decision.action is Action.INCONCLUSIVE
    assert "loss: 0 of 0 challenger requests were wrong" in decision.because


def test_a_clean_shadow_goes_on_to_the_canary() -> None:
    pairs = Pairs(requests=500)
    assert decide(PLAN, shadow(**dict.fromkeys(GUARDS, pairs)), LATER).action is Action.WIDEN


def test_a_shadow_waits_for_its_requests_and_for_labels() -> None:
    few = decide(PLAN, shadow(**dict.fromkeys(GUARDS, Pairs(requests=499))), LATER)
    assert (few.action, few.because) == (Action.HOLD, "499 of 500 shadowed requests seen")
    unlabelled = decide(PLAN, shadow(errors=Pairs(requests=900), latency_p99=Pairs(requests=900), loss=Pairs(requests=20)), LATER)
    assert (unlabelled.action, unlabelled.because) == (Action.HOLD, "loss: 20 of 100 challenger requests counted at this stage")


def test_a_shadow_that_is_the_last_stage_promotes_at_the_guards_own_margins() -> None:
    plan = Plan(stages=(Shadow(requests=500),))
    assert decide(plan, shadow(**dict.fromkeys(GUARDS, Pairs(requests=500))), LATER).action is Action.HOLD
    assert decide(plan, shadow(**dict.fromkeys(GUARDS, Pairs(requests=1200))), LATER).action is Action.PROMOTE


def test_a_clean_canary_widens_then_promotes() -> None:
    assert decide(PLAN, canary(1, **every(clean(200))), LATER).action is Action.WIDEN
    both = clean(200) + clean(900, 0.5)
    assert decide(PLAN, canary(2, **every(both)), LATER).action is Action.PROMOTE


def test_widening_waits_for_its_dwell() -> None:
    seen = canary(1, **every(clean(200)))
    assert decide(PLAN, seen, START + timedelta(seconds=59)).action is Action.HOLD
    assert decide(PLAN, seen, START + timedelta(seconds=60)).action is Action.WIDEN


def test_each_level_counts_its_own_requests() -> None:
    """However much the level before has shown, the wider one must be seen to work."""
    assert decide(PLAN, canary(2, **every(clean(5000))), LATER).action is Action.HOLD
    assert decide(PLAN, canary(2, **every(clean(5000) + clean(99, 0.5))), LATER).action is Action.HOLD
    assert decide(PLAN, canary(2, **every(clean(5000) + clean(100, 0.5))), LATER).action is Action.PROMOTE


def test_one_guard_that_is_not_safe_holds_the_others() -> None:
    some = (Counts(share=0.1, challenger=200, challenger_events=8, champion=1800, champion_events=60),)
    decision = decide(PLAN, canary(1, **{**every(clean(2000)), "latency_p99": some}), LATER)
    assert decision.action is Action.HOLD
    assert decision.because.startswith("latency_p99: 8 of 200 challenger requests were slow, 60 of 1,800 of the champion; safe e-value")


def test_a_guard_that_nobody_counted_holds() -> None:
    assert decide(PLAN, canary(1, errors=clean(5000), latency_p99=clean(5000)), LATER).action is Action.HOLD


def test_the_harm_ratio_tolerates_what_it_says() -> None:
    """8 % more events is harm by default, and none where the guard tolerates 1.25x."""
    worse = (Counts(share=0.5, challenger=400_000, challenger_events=43_200, champion=400_000, champion_events=40_000),)
    strict = Plan(stages=(Canary(share=0.5),), guards=(Guard(name="loss"),))
    tolerant = Plan(stages=(Canary(share=0.5),), guards=(Guard(name="loss", harm_ratio=1.25),))
    assert decide(strict, canary(0, loss=worse), LATER).action is Action.ROLL_BACK
    assert decide(tolerant, canary(0, loss=worse), LATER).action is Action.PROMOTE


def test_margins_go_by_the_share_and_are_never_narrower_than_the_guard() -> None:
    plan = Plan(stages=(Shadow(), Canary(share=0.01), Canary(share=0.1), Canary(share=0.3), Canary(share=0.5)))
    guard = Guard(name="errors")
    found = [margins(plan, guard, index) for index in range(5)]
    assert [(m.ratio, m.difference, m.threshold) for m in found] == [
        (4, 0.05, 5),
        (4, 0.05, 5),
        (2.5, 0.02, 5),
        (1.6, 0.01, 5),
        (1.25, 0.005, 20),
    ]
    wide = margins(plan, Guard(name="errors", ratio=3.0, difference=0.03), 3)
    assert (wide.ratio, wide.difference) == (3.0, 0.03)


STRATUM = st.builds(
    lambda share, ours, theirs, a, b: Counts(share=share, challenger=ours + a, challenger_events=a, champion=theirs + b, champion_events=b),
    st.sampled_from([0.1, 0.5]),
    st.integers(0, 5000),
    st.integers(0, 50_000),
    st.integers(0, 100),
    st.integers(0, 100),
)
OBSERVED = st.dictionaries(st.sampled_from(GUARDS), st.lists(STRATUM, max_size=3).map(tuple))
SHADOWED = st.dictionaries(
    st.sampled_from(GUARDS),
    st.builds(
        lambda n, b, c: Pairs(requests=n + b + c, challenger_only=b, champion_only=c), *([st.integers(0, 2000)] + [st.integers(0, 30)] * 2)
    ),
)


@law
@given(OBSERVED, SHADOWED, st.integers(0, 2), st.timedeltas(timedelta(0), timedelta(days=60)))
def test_paused_never_widens_nor_promotes(
    counts: dict[str, tuple[Counts, ...]], pairs: dict[str, Pairs], index: int, past: timedelta
) -> None:
    seen = Seen(stage_index=index, entered_at=START, started_at=START, guards=counts, pairs=pairs, paused=True)
    assert decide(PLAN, seen, START + past).action in {Action.HOLD, Action.ROLL_BACK, Action.INCONCLUSIVE}


@law
@given(OBSERVED, SHADOWED, st.integers(0, 2), st.timedeltas(timedelta(0), timedelta(days=60)))
def test_a_decision_is_finite_explained_and_kept_as_it_is(
    counts: dict[str, tuple[Counts, ...]], pairs: dict[str, Pairs], index: int, past: timedelta
) -> None:
    seen = Seen(stage_index=index, entered_at=START, started_at=START, guards=counts, pairs=pairs)
    decision = decide(PLAN, seen, START + past)
    assert decision.because
    assert all(math.isfinite(value) for value in decision.numbers.values())
    assert msgspec.json.decode(msgspec.json.encode(decision), type=Decision) == decision
    reloaded = msgspec.json.decode(msgspec.json.encode(seen), type=Seen)
    assert decide(PLAN, reloaded, START + past) == decision  # a controller that was killed goes on with equal evidence


@law
@given(st.integers(0, 2), st.timedeltas(timedelta(0), timedelta(days=29)))
def test_without_evidence_nothing_moves(index: int, past: timedelta) -> None:
    seen = Seen(stage_index=index, entered_at=START, started_at=START)
    assert decide(PLAN, seen, START + past).action is Action.HOLD


@law
@given(st.text(max_size=20), st.text(max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_a_wider_share_only_adds_keys(salt: str, key: str, one: float, other: float) -> None:
    narrow, wide = sorted((one, other))
    assert arm(salt, key, wide) or not arm(salt, key, narrow)


def test_shares_are_kept_and_salts_draw_other_keys() -> None:
    keys = [f"user-{n}" for n in range(20_000)]
    first, second = ({key for key in keys if arm(salt, key, 0.1)} for salt in ("a-1", "a-2"))
    assert len(first) / len(keys) == pytest.approx(0.1, abs=0.01)
    assert len(first & second) / len(first) == pytest.approx(0.1, abs=0.03)
    assert not any(arm("a-1", key, 0.0) for key in keys)
    assert all(arm("a-1", key, 1.0) for key in keys)


def test_a_plan_survives_the_ledger() -> None:
    assert msgspec.convert(msgspec.to_builtins(PLAN), Plan) == PLAN


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Canary(share=0.0),
        lambda: Canary(share=1.0),
        lambda: Shadow(requests=0),
        lambda: Guard(name="errors", ratio=0),
        lambda: Guard(name="errors", difference=0.5),
        lambda: Plan(stages=(Canary(),), guards=()),
        lambda: Plan(stages=(Canary(),), alpha=0.0),
        lambda: Plan(stages=(Canary(),), widen_at=1.0),
    ],
)
def test_a_plan_that_cannot_decide_is_refused_with_a_mend(wrong: object) -> None:
    with pytest.raises(UsageError) as caught:
        wrong()  # type: ignore[operator]
    assert caught.value.mend
