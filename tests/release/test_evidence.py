"""Laws of the e-processes: what they promise is checked by exact enumeration, not by trust."""

from __future__ import annotations

import random
from math import exp, isclose, isfinite, log

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from towpath.errors import UsageError
from towpath.release.evidence import Counts, Pairs, harm, harm_paired, safe, safe_difference, safe_paired, safe_ratio

law = settings(deadline=None, derandomize=True)
SHARES = st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.5, 0.9])
RATES = st.sampled_from([0.0001, 0.001, 0.01, 0.05, 0.2, 0.4])
MARGINS = st.tuples(st.sampled_from([1.25, 1.6, 2.5, 4.0]), st.sampled_from([0.005, 0.01, 0.02, 0.05]))
SLACK = 1 + 1e-9


@st.composite
def counts(draw: st.DrawFn, share: float | None = None) -> Counts:
    ours, theirs = draw(st.integers(0, 500)), draw(st.integers(0, 2000))
    return Counts(
        share=draw(SHARES) if share is None else share,
        challenger=ours,
        challenger_events=draw(st.integers(0, ours)),
        champion=theirs,
        champion_events=draw(st.integers(0, theirs)),
    )


@st.composite
def pairs(draw: st.DrawFn) -> Pairs:
    parts = [draw(st.integers(0, 60)) for _ in range(4)]
    return Pairs(requests=sum(parts), challenger_only=parts[0], champion_only=parts[1], both=parts[2])


def one_more(share: float, ours: bool, event: bool) -> Counts:
    return Counts(
        share=share,
        challenger=int(ours),
        challenger_events=int(ours and event),
        champion=int(not ours),
        champion_events=int(not ours and event),
    )


def next_requests(share: float, champion: float, challenger: float) -> list[tuple[float, Counts]]:
    """Every outcome of one more request, with its probability."""
    return [
        (share * challenger, one_more(share, True, True)),
        (share * (1 - challenger), one_more(share, True, False)),
        ((1 - share) * champion, one_more(share, False, True)),
        ((1 - share) * (1 - champion), one_more(share, False, False)),
    ]


@law
@given(st.lists(counts(), max_size=5), SHARES, RATES, st.sampled_from([0.8, 1.0, 1.1, 2.0]), st.floats(0, 1))
def test_harm_is_a_supermartingale_wherever_the_challenger_is_not_worse(
    past: list[Counts], share: float, base: float, ratio: float, below: float
) -> None:
    now = harm(past, ratio=ratio)
    for challenger in (base * ratio, base * ratio * below):
        after = sum(p * exp(harm([*past, step], ratio=ratio) - now) for p, step in next_requests(share, base, challenger))
        assert after <= SLACK


@law
@given(st.lists(counts(), max_size=4), SHARES, RATES, MARGINS, st.floats(0, 1), st.floats(0, 0.2))
def test_safe_is_a_supermartingale_wherever_both_margins_are_exceeded(
    past: list[Counts], share: float, base: float, margins: tuple[float, float], mean: float, beyond: float
) -> None:
    ratio, difference = margins
    challenger = max(base * ratio, base + difference) + beyond
    assume(challenger <= 1)
    means = [mean] * len(past)
    now = safe(past, ratio=ratio, difference=difference, means=means)
    after = sum(
        p * exp(safe([*past, step], ratio=ratio, difference=difference, means=[*means, mean]) - now)
        for p, step in next_requests(share, base, challenger)
    )
    assert after <= SLACK


@law
@given(st.lists(counts(), max_size=4), SHARES, RATES, st.floats(0, 1))
def test_at_its_own_margin_each_part_of_safe_is_fair(past: list[Counts], share: float, base: float, mean: float) -> None:
    """The mean stays what it was, neither more (invalid) nor less (evidence thrown away)."""
    steps = next_requests(share, base, base + 0.02)
    means = [mean] * len(past)
    now = safe_difference(past, difference=0.02, means=means)
    after = sum(p * exp(safe_difference([*past, step], difference=0.02, means=[*means, mean]) - now) for p, step in steps)
    assert isclose(after, 1, rel_tol=1e-9)
    now = safe_ratio(past, ratio=2.5)
    after = sum(p * exp(safe_ratio([*past, step], ratio=2.5) - now) for p, step in next_requests(share, base, base * 2.5))
    assert isclose(after, 1, rel_tol=1e-9)


def next_pairs(only: float, other: float, both: float) -> list[tuple[float, Pairs]]:
    """Every outcome of one more pair: ``only`` the challenger has the event, only the ``other`` has it, ``both`` have it."""
    return [
        (only, Pairs(requests=1, challenger_only=1)),
        (other, Pairs(requests=1, champion_only=1)),
        (both, Pairs(requests=1, both=1)),
        (1 - only - other - both, Pairs(requests=1)),
    ]


@law
@given(pairs(), RATES, st.floats(0, 0.9), st.sampled_from([0.8, 1.0, 1.1, 2.0]))
def test_paired_harm_is_a_supermartingale_at_a_true_ratio_of_all_events(past: Pairs, base: float, alike: float, ratio: float) -> None:
    both = base * alike * min(1.0, ratio)
    steps = next_pairs(base * ratio - both, base - both, both)
    now = harm_paired(past, ratio=ratio)
    after = sum(p * exp(harm_paired(past + step, ratio=ratio) - now) for p, step in steps)
    assert isclose(after, 1, rel_tol=1e-9)


@law
@given(pairs(), RATES, st.floats(0, 0.9), MARGINS)
def test_paired_safe_is_a_supermartingale_wherever_both_margins_are_exceeded(
    past: Pairs, base: float, alike: float, margins: tuple[float, float]
) -> None:
    ratio, difference = margins
    both = base * alike
    only = max(base * ratio, base + difference) - both
    assume(only + base <= 1)
    steps = next_pairs(only, base - both, both)
    now = safe_paired(past, ratio=ratio, difference=difference)
    after = sum(p * exp(safe_paired(past + step, ratio=ratio, difference=difference) - now) for p, step in steps)
    assert after <= SLACK


@law
@given(pairs(), MARGINS)
def test_pairs_that_both_have_the_event_may_be_left_out_at_the_usual_ratios(pair: Pairs, margins: tuple[float, float]) -> None:
    """Leaving them out costs evidence of safety at most, so that it stays valid; at a harm ratio of 1 it changes nothing."""
    unknown = Pairs(requests=pair.requests, challenger_only=pair.challenger_only, champion_only=pair.champion_only)
    ratio, difference = margins
    assert safe_paired(unknown, ratio=ratio, difference=difference) <= safe_paired(pair, ratio=ratio, difference=difference) + 1e-9
    assert harm_paired(unknown) == harm_paired(pair)


@law
@given(st.lists(st.tuples(counts(), st.sampled_from([0.0, 0.01, 0.2])), max_size=6), st.randoms(use_true_random=False))
def test_order_does_not_matter_to_the_last_bit(strata: list[tuple[Counts, float]], shuffle: random.Random) -> None:
    mixed = list(strata)
    shuffle.shuffle(mixed)
    assert harm([s for s, _ in strata]) == harm([s for s, _ in mixed])
    assert _safe(strata) == _safe(mixed)


def _safe(strata: list[tuple[Counts, float]]) -> float:
    return safe([s for s, _ in strata], ratio=1.6, difference=0.01, means=[m for _, m in strata])


@law
@given(st.lists(counts(share=0.1), min_size=1, max_size=7))
def test_counts_of_replicas_give_the_evidence_of_their_sum_to_the_last_bit(replicas: list[Counts]) -> None:
    total = replicas[0]
    for replica in replicas[1:]:
        total = total + replica
    assert harm(replicas) == harm([total])
    assert _safe([(replica, 0.01) for replica in replicas]) == _safe([(total, 0.01)])


@law
@given(counts(), st.integers(1, 50))
def test_more_challenger_events_never_lower_harm_nor_raise_safety(stratum: Counts, more: int) -> None:
    worse = Counts(
        share=stratum.share,
        challenger=stratum.challenger + more,
        challenger_events=stratum.challenger_events + more,
        champion=stratum.champion,
        champion_events=stratum.champion_events,
    )
    assert harm([worse]) >= harm([stratum])
    spared = Counts(
        share=worse.share,
        challenger=worse.challenger,
        challenger_events=stratum.challenger_events,
        champion=worse.champion,
        champion_events=worse.champion_events,
    )
    assert _safe([(worse, 0.01)]) <= _safe([(spared, 0.01)]) + 1e-9


@law
@given(pairs())
def test_paired_harm_grows_with_the_challenger_and_shrinks_with_the_champion(pair: Pairs) -> None:
    assert harm_paired(pair + Pairs(requests=1, challenger_only=1)) >= harm_paired(pair)
    assert harm_paired(pair + Pairs(requests=1, champion_only=1)) <= harm_paired(pair)


def test_no_requests_are_no_evidence() -> None:
    assert harm([]) == pytest.approx(0, abs=1e-12)
    assert safe([], ratio=1.25, difference=0.005, means=[]) == pytest.approx(0, abs=1e-12)
    assert harm_paired(Pairs()) == pytest.approx(0, abs=1e-12)
    assert safe_paired(Pairs(), ratio=1.25, difference=0.005) == pytest.approx(0, abs=1e-12)


def test_clean_arms_become_safe_by_the_difference_alone() -> None:
    """At 5 % about log(2 * 5) / (.95 * .05) = 50 challenger requests widen; the weights of the other bets cost some more."""
    needed = next(n for n in range(1, 500) if _clean(n) >= log(5))
    assert 48 <= needed <= 80
    assert safe_ratio([Counts(share=0.01, challenger=10_000, champion=990_000)], ratio=4.0) == pytest.approx(0, abs=1e-12)


def _clean(challenger: int) -> float:
    return safe([Counts(share=0.01, challenger=challenger, champion=99 * challenger)], ratio=4.0, difference=0.05, means=[0.0])


def test_the_four_counts_give_the_capital_of_the_bets_one_by_one() -> None:
    """Against the definition: a product over single requests."""
    share, mean, difference = 0.2, 0.07, 0.02
    generator = random.Random(7)
    total = Counts(share=share)
    worst = max((1 - mean) / share, mean / (1 - share)) - difference
    wealth = [1.0] * 14
    for _ in range(400):
        ours, event = generator.random() < share, generator.random() < 0.1
        total = total + one_more(share, ours, event)
        x = (ours / share - (not ours) / (1 - share)) * (event - mean)
        wealth = [w * (1 + 0.95 / worst * 2**-k * (difference - x)) for k, w in enumerate(wealth)]
    direct = sum(w * 2**-k for k, w in enumerate(wealth)) / sum(2**-k for k in range(14))
    assert safe_difference([total], difference=difference, means=[mean]) == pytest.approx(log(direct), abs=1e-10)


def test_millions_of_requests_overflow_nothing() -> None:
    many = [Counts(share=0.5, challenger=10**8, challenger_events=10**7, champion=10**8, champion_events=10**5)]
    assert harm(many) > 1e6
    assert isfinite(safe(many, ratio=1.25, difference=0.005, means=[0.001]))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Counts(share=0.0),
        lambda: Counts(share=1.0),
        lambda: Counts(share=0.1, challenger=1, challenger_events=2),
        lambda: Counts(share=0.1, champion=-1),
        lambda: Counts(share=0.1) + Counts(share=0.2),
        lambda: Pairs(requests=1, challenger_only=1, champion_only=1),
        lambda: Pairs(requests=1, both=-1),
        lambda: safe([Counts(share=0.1)], ratio=2, difference=0.01, means=[]),
        lambda: safe([Counts(share=0.1)], ratio=2, difference=0.01, means=[1.5]),
        lambda: safe([], ratio=0, difference=0.01, means=[]),
        lambda: safe([Counts(share=0.1)], ratio=2, difference=0.7, means=[0.1]),
        lambda: harm([], ratio=0),
        lambda: safe_paired(Pairs(), ratio=2, difference=0.0),
    ],
)
def test_what_cannot_be_counted_is_refused_with_a_mend(wrong: object) -> None:
    with pytest.raises(UsageError) as caught:
        wrong()  # type: ignore[operator]
    assert caught.value.mend
