"""Bets: nothing harmless wins by them, and the nearest shares are the nearest."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.monitor.bet import by_chance, distance, nearest, payoff, smoothed, spread_by_chance, wealth_next

TOLERANCES = st.floats(0.001, 0.5)


@st.composite
def shares(draw, number=1):
    cells = draw(st.integers(2, 12))
    counts = [draw(st.lists(st.integers(0, 50), min_size=cells, max_size=cells)) for _ in range(number)]
    return [smoothed(np.array(one, float)) for one in counts]


def harmless(far, q, tolerance):
    """Shares in the direction of ``far``, at most ``tolerance`` from q."""
    apart = distance(far, q)
    return q + (far - q) * min(1.0, tolerance / max(apart, 1e-12))


@settings(max_examples=400, deadline=None)
@given(shares(3), TOLERANCES)
def test_no_harmless_shares_win_by_a_bet(three, tolerance):
    learnt, q, far = three
    p = nearest(learnt, q, tolerance)
    assert abs(p.sum() - 1) < 1e-9
    assert distance(p, q) <= tolerance + 1e-9
    assert harmless(far, q, tolerance) @ (learnt / p) <= 1 + 1e-9


@settings(max_examples=200, deadline=None)
@given(shares(3), TOLERANCES)
def test_no_harmless_shares_are_nearer(three, tolerance):
    learnt, q, far = three

    def divergence(p):
        return float((learnt * np.log(learnt / p)).sum())

    assert divergence(nearest(learnt, q, tolerance)) <= divergence(harmless(far, q, tolerance)) + 1e-9


@settings(max_examples=100, deadline=None)
@given(shares(1))
def test_a_bet_on_nothing_pays_what_was_staked(one):
    (q,) = one
    assert payoff(np.ones(len(q)), 10.0, np.zeros(len(q)), q, 0.02) == 1.0


def test_chance_is_what_samples_show():
    rng, q = np.random.default_rng(1), smoothed(np.full(17, 100.0))
    seen = [distance(rng.multinomial(500, q) / 500, q) for _ in range(2000)]
    assert abs(np.mean(seen) - by_chance(q, 500)) < 0.05 * np.mean(seen)
    assert np.std(seen) <= spread_by_chance(q, 500) < 2 * np.std(seen)


def test_at_the_edge_of_the_harmless_false_alarms_stay_under_their_rate():
    """The hardest harmless case: shares exactly ``tolerance`` away, for 60 windows. The chance of wealth 200 is at most 60/200."""
    rng, q = np.random.default_rng(4), np.full(10, 0.1)
    edge = q + np.array([0.02, 0.02, -0.02, -0.02, 0, 0, 0, 0, 0, 0])
    alarms = 0
    for _ in range(100):
        past, wealth, most = np.zeros(10), 0.0, 0.0
        for counts in rng.multinomial(1000, edge, size=60).astype(float):
            wealth = wealth_next(wealth, payoff(counts, 1000.0, past, q, 0.04))
            past, most = past + counts, max(most, wealth)
        alarms += most >= 200
    assert alarms <= 30 + 3 * 4.6  # three standard deviations
