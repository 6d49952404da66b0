"""One worker: a process that answers until it is told to stop. Granian carries the HTTP; it is named in this file only."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from pathlib import Path

import msgspec
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from towpath.clock import Clock, ReplayClock, WallClock, machine_s
from towpath.errors import UsageError
from towpath.serving.adopt import Adopter
from towpath.serving.answerer import Answerer
from towpath.serving.app import App
from towpath.serving.metrics import Metrics
from towpath.serving.port import Source
from towpath.serving.processes import die_with
from towpath.serving.settings import ServerSettings
from towpath.store import Store

_ASKED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - how to reach oneself where one listens everywhere
SETTLE_S = 2.0  # a stopping worker waits so long for its shadow copies
THREADS_S = 1.0  # and so long for Granian's threads


def serve(settings: ServerSettings, source: Source, store: Store) -> None:
    """Serve in this process until SIGTERM or SIGINT; then end the requests in flight, close the spool, and return.

    Call it in the main thread. With ``settings.shared_port`` any number of processes may serve one port.

    Raises:
        UsageError: the port is taken, or the host is none of this machine's.
    """
    if settings.dies_with_parent:
        die_with(os.getppid())
    with reserve(settings.host, settings.port, shared=settings.shared_port) as held:
        host, port = held.getsockname()[:2]
        asyncio.run(_Worker(settings, source, store, host, port).run())


def reserve(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket that holds a port without listening: the number is known, and nobody else gets it, before the server is up.

    Args:
        port: 0 for any free one.
        shared: other sockets may serve the port at the same time, when they say so too.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET  # a name means its IPv4 address
    held = socket.socket(family)
    try:
        if port and not shared:
            # Granian's socket shares its port with every other such socket: a second server would silently get half of the requests
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((host, port))
    except OSError as fault:
        held.close()
        raise UsageError(
            f"cannot serve on {host}:{port}: {fault.strerror}", mend="stop what serves there, or give another port (0: any free one)"
        ) from None
    return held


class _Worker:
    def __init__(self, settings: ServerSettings, source: Source, store: Store, host: str, port: int) -> None:
        self._settings, self._source, self._store = settings, source, store
        self._host, self._port = host, port
        self._clock: Clock = ReplayClock(settings.replay) if settings.replay is not None else WallClock()

    async def run(self) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        metrics = Metrics(self._settings.model)
        adopter = Adopter(self._settings, self._source, self._store)
        answerer = Answerer(self._settings, self._clock, lambda: adopter.routing, metrics)
        server = _server(self._host, self._port, App(self._settings, adopter, answerer, metrics))
        await adopter.begin()
        before = native_threads()
        serving = asyncio.create_task(server.serve())
        await self._tell_ready(serving)
        threads = native_threads() - before
        tasks = [serving, asyncio.create_task(adopter.run()), asyncio.create_task(stop.wait())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await self._drain(server, tasks, answerer)
        await ended(threads, THREADS_S)
        adopter.stop()
        answerer.close()
        if not stop.is_set():
            for task in tasks:
                if task.done():
                    task.result()  # what ended the worker is told

    async def _tell_ready(self, serving: asyncio.Task[object]) -> None:
        while not serving.done() and not await _answers(self._host, self._port):
            await asyncio.sleep(0.01)
        if self._settings.ready_file is not None and not serving.done():
            _write(self._settings.ready_file, msgspec.json.encode({"port": self._port, "pid": os.getpid()}))

    async def _drain(self, server: Server, tasks: list[asyncio.Task[object]], answerer: Answerer) -> None:
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait(tasks[:1], timeout=self._settings.drain_s)
        await answerer.settle(SETTLE_S)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=1)


def native_threads() -> set[int]:
    """The threads of this process that Python did not start."""
    every = {int(task.name) for task in Path("/proc/self/task").iterdir()}
    return every - {thread.native_id for thread in threading.enumerate()}


async def ended(threads: set[int], timeout_s: float) -> bool:
    """Wait until these threads have ended, at most so long; whether they have.

    Granian's outlive its `serve` by a moment. One that comes back to an interpreter which is already ending aborts the process.
    """
    last = machine_s() + timeout_s
    while alive := threads & native_threads():
        if machine_s() > last:
            break
        await asyncio.sleep(0.002)
    return not alive


def _server(host: str, port: int, app: App) -> Server:
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=30_000),
        websockets=False,
        backlog=1024,
        log_enabled=False,
    )


async def _answers(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(_ASKED.get(host, host), port)
    except OSError:
        return False
    writer.close()
    return True


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.new")
    temporary.write_bytes(data)
    temporary.replace(path)
