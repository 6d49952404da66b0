"""What a retraining does about parameters: reuse the champion's, resume its search, or search afresh."""

from __future__ import annotations

from typing import NamedTuple

from towpath.events import Outcome
from towpath.pipeline.runs import Runs
from towpath.project_search import Way
from towpath.triggers import Firings

REJECTED = 2  # retrains for one finding, after which it is searched once


class Choice(NamedTuple):
    """The way that is taken, and why in a sentence for people."""

    way: Way
    because: str


def choose(declared: Way, *, searched: bool, finding: int | None = None, rejected: int = 0) -> Choice:
    """The way of the next run.

    The same data and parameters that were refused twice would be refused again: then the parameters are searched, once a finding.
    When that is refused too, only a person or new data can help, and the declared way is taken again.

    Args:
        declared: `search.retrain`.
        searched: whether there is a search, and a champion that came of it.
        finding: that the run answers, if it answers one.
        rejected: how many runs for that finding the gates have rejected; see ``rejected_for``.

    >>> choose("reuse", searched=True, finding=3, rejected=2)
    Choice(way='fresh', because='2 retrains for finding 3 were rejected')
    """
    if not searched:
        return Choice("fresh", "there is no earlier search")
    if finding is not None and rejected == REJECTED:
        return Choice("fresh", f"{rejected} retrains for finding {finding} were rejected")
    return Choice(declared, f"`search.retrain` is {declared}")


def rejected_for(finding: int, firings: Firings, runs: Runs) -> int:
    """How many of the runs that a finding started were rejected by the gates; held, failed and lost ones were not."""
    mine = {decision.run for decision in firings.decisions if decision.key.startswith(f"finding:{finding}:") and decision.run is not None}
    return sum(run.outcome is Outcome.REJECTED for number, run in runs.all.items() if number in mine)
