"""What is said of a release's length before it starts."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from towpath.release import Canary, Guard, Plan, Shadow, expected_requests

RAMP = Plan(stages=(Shadow(requests=500), Canary(share=0.1), Canary(share=0.5)))


@pytest.mark.parametrize(
    ("rate", "simulated"), [(0.0, 2_000), (0.0005, 2_000), (0.005, 7_400), (0.01, 16_000), (0.05, 12_200), (0.22, 3_200)]
)
def test_a_forecast_is_near_the_simulated_median(rate: float, simulated: int) -> None:
    """Requests until equal arms at a share of 50 % are safe at 20; the medians are those of simulated releases."""
    found = expected_requests(Plan(stages=(Canary(share=0.5),), guards=(Guard(name="errors"),)), {"errors": rate})
    assert 0.8 * simulated <= found.requests <= 1.35 * simulated


def test_a_clean_ramp_takes_a_few_thousand_requests() -> None:
    found = expected_requests(RAMP, {})
    assert found.stages[0] == 500
    assert found.slowest[0] == ""
    assert 1_000 <= found.stages[1] <= 2_000
    assert found.duration(1_000) == timedelta(days=found.requests / 1_000)


def test_the_slowest_guard_is_named() -> None:
    found = expected_requests(RAMP, {"latency_p99": 0.01, "loss": 0.2})
    assert found.slowest[2] == "latency_p99"
    assert found.requests > expected_requests(RAMP, {"loss": 0.2}).requests


def test_a_stage_never_takes_less_than_its_least_number_of_requests() -> None:
    found = expected_requests(Plan(stages=(Canary(share=0.02), Canary(share=0.5)), requests_min=1_000), {})
    assert found.stages == (50_000, 2_000)
    assert found.slowest == ("", "")


def test_what_never_ends_is_said_to_never_end() -> None:
    """Equal arms keep no margin under the champion's own rate where the difference too is out of reach."""
    superior = Plan(stages=(Canary(share=0.5), Canary(share=0.6)), guards=(Guard(name="loss", ratio=0.5, difference=1e-9),))
    found = expected_requests(superior, {"loss": 0.2})
    assert found.requests == math.inf
    assert found.duration(1e6) == timedelta.max
    assert expected_requests(RAMP, {}).duration(0) == timedelta.max
