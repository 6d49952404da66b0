"""Which execution of a step a question is about, and which one before it to compare with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from towpath.digest import Digest
from towpath.errors import UnknownName
from towpath.origin import Origin
from towpath.pipeline.runs import Run, Runs


class Time(NamedTuple):
    """One time that a run came to a step."""

    run: int
    at: datetime  # when the run started
    fingerprint: Digest
    reused: bool
    seconds: float
    origin: Origin | None = None


class Asked(NamedTuple):
    """``this`` is what was asked for; ``made`` the time at which its result came to be, and the latest ``before`` that was another.

    ``made`` is ``this`` itself where that was executed, and None where nobody here executed it. ``known`` is the first time before
    ``this`` with the same causes.
    """

    this: Time
    made: Time | None
    known: Time | None
    before: Time | None


def asked(runs: Runs, step: str, number: int | None = None) -> Asked:
    """The last time of a step, or that of one run.

    Raises:
        UnknownName: no run came to a step of that name, or that run did not.
    """
    times = [time for run in runs.all.values() for time in _times(run, step)]
    if not times:
        raise UnknownName("step in any run", step, {one.step for run in runs.all.values() for one in run.steps})
    chosen = [time for time in times if number in (None, time.run)]
    if not chosen:
        raise UnknownName(f"run that came to step {step!r}", str(number), [str(time.run) for time in times])
    this = chosen[-1]
    earlier = times[: times.index(this)]
    same = [time for time in earlier if time.fingerprint == this.fingerprint]
    others = [time for time in earlier if time.fingerprint != this.fingerprint]
    return Asked(this, _made(this, same), same[0] if same else None, others[-1] if others else None)


def _times(run: Run, step: str) -> list[Time]:
    return [Time(run.number, run.started, one.fingerprint, one.reused, one.seconds, one.origin) for one in run.steps if one.step == step]


def _made(this: Time, same: Sequence[Time]) -> Time | None:
    return next((time for time in (this, *reversed(same)) if not time.reused), None)
