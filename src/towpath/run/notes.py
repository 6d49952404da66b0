"""What is told of a run's steps while they are made: to the ledger every few seconds, to the terminal every second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from towpath import events as ev
from towpath.clock import machine_s
from towpath.errors import TowpathError
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.graph import Step
from towpath.pipeline.watching import Executed, Progress, Watch
from towpath.run.bench import Bench, Ended
from towpath.run.sharing import Share

TOLD_EVERY_S = 2.0  # an append costs a write that lasts: a quick run has one
RENEWED_EVERY_S = ev.LEASE_S / 6
LONG_S, SHOWN = 1.0, 3  # which of the busy steps are named, and how many
FEW = 8  # reused steps are named


class Notes(Watch):
    """Of the run at ``bench``. Raises Ended where others claimed else of what was executed here."""

    def __init__(self, bench: Bench, share: Share) -> None:
        super().__init__()
        self._bench, self._share = bench, share
        self._untold: list[ev.AnyEvent] = []
        self._told = machine_s()

    def began(self, steps: Sequence[Step]) -> None:
        super().began(steps)
        self._told = machine_s()
        takes = {step.name: tuple(step.inputs.values()) for step in steps}
        self._untold = [ev.StepsPlanned(run=self._bench.number, takes=takes)]

    def ended(self, one: Executed) -> None:
        super().ended(one)
        self._untold.append(_executed(self._bench.number, one))
        if not one.reused:
            self._share(one.fingerprint)
            self._bench.tell(f"step {one.step}: {one.seconds:.1f} s")

    def retried(self, step: str, because: str, wait_s: float) -> None:
        self._untold.append(ev.StepRetried(run=self._bench.number, step=step, because=because))
        self._bench.tell(f"step {step} is tried again in {wait_s:g} s: {because}")

    def passed(self, progress: Progress, keep: Callable[[], None]) -> None:
        self._bench.show(in_words(progress))
        since = machine_s() - self._told
        if since >= TOLD_EVERY_S and self._untold:
            with suppress(TowpathError):  # a ledger that does not answer now is told all of it later
                keep()
                self._tell()
        elif since >= RENEWED_EVERY_S:
            with suppress(TowpathError):
                self._bench.told(ev.RunContinued(run=self._bench.number))
                self._told = machine_s()

    def stopped(self, fault: BaseException | None) -> None:
        self._bench.show("")
        for how, are_others in (("reused", False), ("executed by others", True)):
            if names := [one.step for one in self.done if one.reused and bool(one.origin) is are_others]:
                self._bench.tell(f"{how}: {', '.join(names) if len(names) <= FEW else f'{len(names):,} steps'}")
        if isinstance(fault, StepFailed):
            self._untold.append(ev.StepFailed(run=self._bench.number, step=fault.step, because=fault.what.splitlines()[0]))
        self._tell()
        wrong = [one for one in self.done if one.refused]
        if wrong and not fault:
            raise Ended(ev.Outcome.FAILED, "; ".join(map(_wrong, wrong)))

    def _tell(self) -> None:
        """In one append; what could not be told stays."""
        if self._untold:
            self._bench.told(*self._untold)
        self._untold, self._told = [], machine_s()


def in_words(progress: Progress) -> str:
    """How far steps came, and what lasts.

    >>> in_words(Progress(done=7, steps=50, busy={"clean": 0.2, "trained": 75.0}))
    '7 of 50 steps; trained 75 s'
    """
    longest = sorted(((seconds, name) for name, seconds in progress.busy.items() if seconds >= LONG_S), reverse=True)
    named = ", ".join(f"{name} {seconds:.0f} s" for seconds, name in longest[:SHOWN])
    more = f" and {len(longest) - SHOWN:,} more" if len(longest) > SHOWN else ""
    return f"{progress.done:,} of {progress.steps:,} steps" + (f"; {named}{more}" if named else "")


def _executed(run: int, one: Executed) -> ev.StepExecuted:
    return ev.StepExecuted(
        run=run,
        step=one.step,
        fingerprint=one.fingerprint,
        reused=one.reused,
        seconds=one.seconds,
        content=one.value.content,
        origin=one.origin,
        refused=one.refused,
    )


def _wrong(one: Executed) -> str:
    return (
        f"step {one.step} makes content {one.value.content} here, and {one.refused} was claimed by {one.origin}; "
        "that is not taken any more: `towpath why step` tells what its fingerprint cannot know"
    )
