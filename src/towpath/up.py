"""Turns plus servers: starts the workers, keeps them up, makes a turn every second, and stops cleanly."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from towpath import children
from towpath.clock import machine_s
from towpath.errors import UsageError
from towpath.hands import Hands
from towpath.locks import Lock
from towpath.loop import Loop, Turned
from towpath.world import World

RESTART_AFTER_S = (0.2, 1.0, 5.0, 30.0)  # a worker that dies again and again is started ever more slowly


class Servers:
    """Keeps one process a worker running: `towpath serve`, started anew when it dies."""

    def __init__(self, world: World, environ: Mapping[str, str], arguments: Sequence[str]) -> None:
        self._home, self._environ = world.project.home, environ
        self._arguments = [*arguments, "--project", str(world.project.root)]
        self._children: list[subprocess.Popen[bytes]] = []
        self._falls, self._next_start = 0, 0.0
        self._workers = world.project.serve.workers

    def keep_up(self) -> None:
        """Start what is missing, unless it fell a moment ago."""
        alive = [child for child in self._children if child.poll() is None]
        if len(alive) < len(self._children):
            wait = RESTART_AFTER_S[min(self._falls, len(RESTART_AFTER_S) - 1)]
            self._falls, self._next_start = self._falls + 1, machine_s() + wait
        self._children = alive
        while len(self._children) < self._workers and machine_s() >= self._next_start:
            worker = str(len(self._children))
            (self._home / f"serve-{worker}.json").unlink(missing_ok=True)  # of one that was killed: its port is nobody's now
            arguments = ["serve", *self._arguments, "--worker", worker]
            self._children.append(children.start(arguments, self._home / "logs" / f"serve-{worker}.log", self._environ))

    def stop(self) -> None:
        """End all workers; each answers what it has begun."""
        for child in self._children:
            if child.poll() is None:
                child.terminate()
        for child in self._children:
            children.stop(child)


def only_one(home: Path, holder: str) -> Lock:
    """The lock of ``up``. Raises UsageError when another one is up, and says which."""
    lock = Lock(home / "locks" / "up")
    if not lock.take(holder):
        raise UsageError(f"this project is up already: {lock.holder()}", mend="use that one, or stop it first")
    return lock


@contextmanager
def until_told() -> Iterator[Callable[[], bool]]:
    """A question that is true until SIGTERM or SIGINT came."""
    told = []
    before = {kind: signal.signal(kind, lambda *_: told.append(1)) for kind in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: not told
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def run(loop: Callable[[], Loop], servers: Servers, hands: Hands, *, every_s: float = 1.0, tell: Callable[[Turned], None]) -> None:
    """Turn after turn until SIGTERM or SIGINT; then the children end.

    Args:
        loop: asked before each turn: the project may have been declared anew.
    """
    with until_told() as going_on:
        try:
            while going_on():
                servers.keep_up()
                tell(loop().turn())
                _sleep(every_s, going_on)
        finally:
            servers.stop()
            hands.stop()


def obey(loop: Loop, servers: Servers, hands: Hands, orders: IO[str] = sys.stdin, answers: IO[str] = sys.stdout) -> None:
    """A turn for each line ``turn`` that is read, answered by one line of JSON: how a replayer leads the loop in lock-step."""
    servers.keep_up()
    try:
        for order in orders:
            if order.strip() != "turn":
                break
            servers.keep_up()
            answers.write(msgspec.json.encode(loop.turn()).decode() + "\n")
            answers.flush()
    finally:
        servers.stop()
        hands.stop()


def _sleep(seconds: float, going_on: Callable[[], bool]) -> None:
    end = machine_s() + seconds
    while going_on() and (left := end - machine_s()) > 0:
        time.sleep(min(left, 0.2))
