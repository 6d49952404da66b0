"""Releases: a challenger's way into one environment, decided by evidence that is valid at any time."""

from towpath.release.evidence import Counts, Pairs
from towpath.release.forecast import Forecast, expected_requests
from towpath.release.policy import Action, Canary, Decision, Guard, Plan, Seen, Shadow, arm, decide

__all__ = [
    "Action",
    "Canary",
    "Counts",
    "Decision",
    "Forecast",
    "Guard",
    "Pairs",
    "Plan",
    "Seen",
    "Shadow",
    "arm",
    "decide",
    "expected_requests",
]
