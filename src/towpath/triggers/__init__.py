"""Triggers: what turns a commit, data or a finding into a run, and what holds it back."""

from towpath.triggers.firings import Decision, Firings
from towpath.triggers.judge import Alarm, Growth, Sights, Wish, judge, unanswered, waiting, wishes

__all__ = ["Alarm", "Decision", "Firings", "Growth", "Sights", "Wish", "judge", "unanswered", "waiting", "wishes"]
