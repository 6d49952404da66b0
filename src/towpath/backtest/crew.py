"""The processes of a backtest: `towpath up --replay`, led in lock-step over its standard input and output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from towpath.clock import machine_s
from towpath.errors import Unavailable
from towpath.serving.client import Client

PATIENCE_S = 120.0


class Ready(msgspec.Struct, frozen=True):
    """What a server writes when it answers."""

    port: int


class Answer(msgspec.Struct, frozen=True):
    """What the replayer reads of a turn."""

    head: int
    busy: tuple[str, ...] = ()
    routed: bool = False
    answered: int = 0


class Crew:
    """Loop and workers of one project on a replay's clock, in a process group of their own."""

    def __init__(self, root: Path, clock: Path, environ: Mapping[str, str], *, workers: int = 1) -> None:
        self._root, self._clock, self._environ, self._workers = root, clock, dict(environ), workers
        self._process: subprocess.Popen[bytes] | None = None
        self.client = Client("127.0.0.1", 0)

    def start(self, *extra: str) -> None:
        """Start everything and connect; ``extra`` goes to `towpath up` (a fault, say)."""
        for ready in self._ready_files():
            ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "towpath", "up", "--project", str(self._root), "--replay", str(self._clock), *extra]
        with (self._root / ".towpath" / "up.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=self._environ, start_new_session=True
            )
        self._connect()

    def turn(self) -> Answer:
        """One turn; returns when it is done."""
        process = self._running()
        assert process.stdin is not None  # noqa: S101 -- both were asked for as pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(b"turn\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise Unavailable(
                f"the loop under backtest ended with exit code {process.wait()}", mend=f"its log is {self._root / '.towpath' / 'up.log'}"
            )
        return msgspec.json.decode(line, type=Answer)

    def settle(self, wait: Callable[[], None] = lambda: time.sleep(0.3)) -> Answer:
        """Turns until no run and no check is going on, and the workers serve what the ledger says. The clock stands still meanwhile."""
        answer = self.turn()
        routed = answer.routed
        while answer.busy:
            wait()
            answer = self.turn()
            routed = routed or answer.routed
        if routed:
            self.follow(answer.head)
        return answer

    def follow(self, head: int) -> None:
        """Wait until the workers have adopted what the ledger says at ``head``."""
        status, body = self.client.get(f"/towpath/status?position={head}")
        if status != 200:
            raise Unavailable(
                f"the server has not adopted position {head} of the ledger: {body.decode(errors='replace')[:300]}",
                mend="look at serve-0.log",
            )

    def kill(self) -> None:
        """kill -9 of the whole process group."""
        process = self._running()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._let_go(process)

    def stop(self) -> None:
        """Let everything end in order."""
        if self._process is None:
            return
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._let_go(self._process)

    def _let_go(self, process: subprocess.Popen[bytes]) -> None:
        """Close what leads to a process that has ended; an order that it never read is lost with it."""
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self.client.close()
        self._process = None

    def processes(self) -> list[int]:
        """The process ids of the group."""
        group = self._running().pid
        return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and _group(int(entry)) == group]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise Unavailable("the loop under backtest is not running", mend="start it first")
        return self._process

    def _ready_files(self) -> Sequence[Path]:
        return [self._root / ".towpath" / f"serve-{worker}.json" for worker in range(self._workers)]

    def _connect(self) -> None:
        self.turn()  # starts the workers
        end = machine_s() + PATIENCE_S
        (file,) = self._ready_files()
        while not file.exists():
            if machine_s() > end:
                raise Unavailable(
                    f"the server did not come up within {PATIENCE_S:.0f} s", mend=f"its log is {self._root / '.towpath' / 'logs'}"
                )
            time.sleep(0.02)
        port = msgspec.json.decode(file.read_bytes(), type=Ready).port
        self.client = Client("127.0.0.1", port)


def _group(process: int) -> int:
    try:
        return os.getpgid(process)
    except ProcessLookupError:
        return -1
