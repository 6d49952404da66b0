"""The loop's hands: child processes that train, check in staging and tell the world. Nothing here waits."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from towpath import children
from towpath.clock import machine_s
from towpath.locks import OUTBOX, RUN, STAGING, lock_of
from towpath.release import controller
from towpath.state import State
from towpath.triggers import waiting
from towpath.world import World

TELL_EVERY_S = 5.0  # a target that is down is tried again so often


class Hands:
    """Starts work, one child for each kind at a time: a lock that the child inherits says, even to other loops, that it is at work.

    Args:
        targets: outside, by name, that are to hear of what happens.
        more: arguments for every child.
    """

    def __init__(self, world: World, environ: Mapping[str, str], *, targets: Sequence[str], more: Sequence[str] = ()) -> None:
        self._world, self._environ, self._targets, self._more = world, environ, tuple(targets), tuple(more)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._next_tell, self._tried = 0.0, 0
        self._teller: subprocess.Popen[bytes] | None = None

    def act(self, state: State) -> None:
        """Start what the state asks for and nobody is at: the run that was fired, the version that staging has not seen."""
        fired = waiting(state.firings, state.runs)
        if fired and not state.runs.going_on:
            self._start(RUN, ["run", "--fired", str(fired[0].run)])
        version = controller.untried(state.registry, state.live)
        if version:
            self._start(STAGING, ["stage", str(version.number)])
        self._tell(state)

    def _tell(self, state: State) -> None:
        """Have the world outside told: news at once, what a target did not take after a while."""
        told = min((state.delivered.get(target, 0) for target in self._targets), default=state.news)
        failed = self._teller is not None and self._teller.poll() not in (None, 0)
        if state.news > told and (state.news > self._tried or (failed and machine_s() > self._next_tell)):
            teller = self._start(OUTBOX, ["tell"])
            if teller:  # else one is at it that may have read the ledger before this came: the next turn looks again
                self._teller, self._tried, self._next_tell = teller, state.news, machine_s() + TELL_EVERY_S

    def busy(self) -> tuple[str, ...]:
        """Which kinds of work are going on."""
        self._children = {kind: child for kind, child in self._children.items() if child.poll() is None}
        return tuple(kind for kind in self._children if kind != OUTBOX)

    def wait(self) -> None:
        """Wait for all that was started."""
        for child in self._children.values():
            child.wait()

    def stop(self) -> None:
        """End all that was started; what it had begun is given up as lost by the next turn."""
        for child in self._children.values():
            children.stop(child)

    def _start(self, kind: str, arguments: Sequence[str]) -> subprocess.Popen[bytes] | None:
        if kind in self.busy():
            return None
        lock = lock_of(self._world.project.home, kind)
        if not lock.take(f"towpath {' '.join(arguments)}, started by the loop"):
            return None
        command = [*arguments, "--project", str(self._world.project.root), "--lock-held", str(lock.file), *self._more]
        self._children[kind] = children.start(command, self._world.project.home / "logs" / f"{kind}.log", self._environ, keep=[lock.file])
        lock.release()
        return self._children[kind]
