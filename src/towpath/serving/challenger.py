"""The worker's side of a challenger: a process of its own, asked with a deadline, started again when it dies."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from towpath.clock import machine_s
from towpath.formats import Label
from towpath.serving.answers import Told
from towpath.serving.frames import Ask, Inbox, Load, Loaded, Reply, framed, to_parent
from towpath.serving.port import Served

MOST_RESTARTS = 5
FIRST_BACKOFF_S = 0.25  # doubles with each restart
HANGING = 4  # so many time-outs in a row, and the process is taken for dead
LOADING_S = 60.0


class Challenger:
    """Belongs to one event loop, and is started in the thread that lives as long as the worker (the kernel ends the process with it).

    ``score`` never raises and never takes longer than its deadline: a process that died or hangs is an outcome.
    """

    def __init__(self, served: Served, load: Load) -> None:
        self.served = served
        self.started = False  # whether its process ever came to be
        self.trouble = ""  # why it does not answer now; empty while it does
        self.restarts = 0
        self.classes: tuple[Label, ...] = ()
        self._load = load
        self._number, self._timeouts = 0, 0
        self._waiting: dict[int, asyncio.Future[Told]] = {}
        self._ready: asyncio.Future[str] | None = None
        self._line: _Line | None = None
        self._stopped = False

    async def start(self) -> str:
        """Start the process; when it is loaded, warm and has answered its golden rows: an empty string, else why not."""
        loop = asyncio.get_running_loop()
        self.trouble = "it is being loaded"
        self._ready = loop.create_future()
        ours, its = socket.socketpair()
        command = [sys.executable, "-m", "towpath.serving.challenger_process", str(its.fileno()), str(os.getpid())]
        try:
            with its:
                process = subprocess.Popen(command, pass_fds=[its.fileno()], env=_environment())
        except OSError as fault:
            ours.close()
            self.trouble = f"its process could not be started: {fault}"
            return self.trouble
        self.started = True
        self._line = line = _Line(process, self._heard, self._hung_up)
        await loop.create_connection(lambda: line, sock=ours)
        line.send(framed(self._load))
        try:
            self.trouble = await asyncio.wait_for(asyncio.shield(self._ready), LOADING_S)
        except TimeoutError:
            self.trouble = f"it was not loaded within {LOADING_S:g} s"
            line.kill()
        return self.trouble

    async def score(self, id: str, columns: dict[str, list[Any]], deadline_s: float, *, shadow: bool = False) -> Told:
        """Score one request's columns."""
        if self.trouble or self._line is None:
            return Told("crash", self.trouble, 0.0)
        self._number += 1
        number, asked = self._number, machine_s()
        future = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._line.send(framed(Ask(number, id, shadow, columns)))
        try:
            told: Told = await asyncio.wait_for(future, deadline_s)
        except TimeoutError:
            self._timed_out()
            return Told("timeout", f"no answer within {deadline_s:g} s", machine_s() - asked)
        finally:
            self._waiting.pop(number, None)
        return told

    def stop(self) -> None:
        """End the process; what is being asked ends as a crash."""
        self._stopped = True
        self.trouble = "it was stopped"
        if self._line is not None:
            self._line.kill()

    @property
    def pid(self) -> int | None:
        """Of its process, while there is one."""
        return self._line.process.pid if self._line and not self.trouble else None

    def _heard(self, message: Loaded | Reply) -> None:
        match message:
            case Loaded(refused=refused, classes=classes):
                self.classes = classes
                if self._ready is not None and not self._ready.done():
                    self._ready.set_result(refused)
            case Reply(number=number, told=told):
                self._timeouts = 0
                future = self._waiting.get(number)
                if future is not None and not future.done():
                    future.set_result(told)

    def _timed_out(self) -> None:
        self._timeouts += 1
        if self._timeouts >= HANGING and self._line is not None:
            self._timeouts = 0
            self._line.kill()

    def _hung_up(self, status: int) -> None:
        self.trouble = f"its process ended with status {status}"
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(self.trouble)
        for future in self._waiting.values():
            if not future.done():
                future.set_result(Told("crash", self.trouble, 0.0))
        if self._stopped:
            return
        if self.restarts == MOST_RESTARTS:
            self.trouble += f", the {MOST_RESTARTS + 1}th time: it is not started again"
            return
        pause = FIRST_BACKOFF_S * 2**self.restarts
        self.restarts += 1
        asyncio.get_running_loop().call_later(pause, self._again)

    def _again(self) -> None:
        if not self._stopped:
            self._restart = asyncio.ensure_future(self.start())


class _Line(asyncio.Protocol):
    """The socket to one process, and its end."""

    def __init__(self, process: subprocess.Popen[bytes], heard: Callable[[Loaded | Reply], None], hung_up: Callable[[int], None]) -> None:
        self.process = process
        self._heard, self._hung_up = heard, hung_up
        self._inbox = Inbox()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for body in self._inbox.take(data):
            self._heard(to_parent.decode(body))

    def connection_lost(self, exc: Exception | None) -> None:
        self.process.kill()
        self._hung_up(self.process.wait())

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def kill(self) -> None:
        """End the process; ``connection_lost`` follows."""
        self.process.kill()
        if self._transport is not None:
            self._transport.abort()


def _environment() -> dict[str, str]:
    """The worker's, with one thread a library: it shares the machine with the champion."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
