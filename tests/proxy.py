"""A proxy before a real HTTP server, which does to some calls what networks and servers do on bad days."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread


@dataclass(frozen=True)
class Call:
    """One request; ``number`` counts from 1 since the proxy was last told what to do."""

    number: int
    method: str
    path: str


@dataclass
class Answer:
    """What the server behind said; a fault may change it before it goes on."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


Fault = Callable[["_Handler", Callable[[], Answer]], None]


@dataclass
class Proxy:
    """``port`` is where to call. ``faults(call)`` gives what to do to a call, or None for a plain one."""

    port: int
    behind: int
    faults: Callable[[Call], Fault | None] = lambda call: None
    calls: list[Call] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def does(self, fault: Fault | None, when: Callable[[Call], bool] = lambda call: True) -> None:
        """Do something to those calls from now on."""
        with self._lock:
            self.calls, self.faults = [], lambda call: fault if fault and when(call) else None

    def _noted(self, method: str, path: str) -> Call:
        with self._lock:
            self.calls.append(call := Call(len(self.calls) + 1, method, path))
        return call


@contextmanager
def proxy(behind: int) -> Iterator[Proxy]:
    """A proxy before the server at port ``behind``, until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.proxy = Proxy(server.server_address[1], behind)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def status(code: int, text: bytes = b"") -> Fault:
    """Answer with an error, and do not ask the server."""
    return lambda handler, ask: handler.give(Answer(code, [], text))


def cut(handler: _Handler, ask: Callable[[], Answer]) -> None:
    """Close the connection before the server is asked."""
    handler.hang_up()


def cut_after(handler: _Handler, ask: Callable[[], Answer]) -> None:
    """Let the server do it, and close the connection instead of telling its answer."""
    ask()
    handler.hang_up()


def cut_within(handler: _Handler, ask: Callable[[], Answer]) -> None:
    """Close the connection in the middle of the answer."""
    handler.give(ask(), share=0.5)
    handler.hang_up()


def slow(seconds: float) -> Fault:
    """Wait before each answer."""

    def fault(handler: _Handler, ask: Callable[[], Answer]) -> None:
        time.sleep(seconds)
        handler.give(ask())

    return fault


def wrong_bytes(handler: _Handler, ask: Callable[[], Answer]) -> None:
    """Change one bit in the middle of the answer."""
    answer = ask()
    middle = len(answer.body) // 2
    answer.body = answer.body[:middle] + bytes([answer.body[middle] ^ 1]) + answer.body[middle + 1 :]
    handler.give(answer)


def without_header(name: str) -> Fault:
    """Ask the server without one of the call's headers."""

    def fault(handler: _Handler, ask: Callable[[], Answer]) -> None:
        del handler.headers[name]
        handler.give(ask())

    return fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: Proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no fault of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.proxy.faults(self.server.proxy._noted(self.command, self.path))
        if fault:
            fault(self, lambda: self._ask(body))
        else:
            self.give(self._ask(body))

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815 - the base class calls them so

    def _ask(self, body: bytes) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.proxy.behind, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in ("transfer-encoding", "connection")]
            return Answer(answer.status, kept, answer.read())
        finally:
            connection.close()

    def give(self, answer: Answer, share: float = 1.0) -> None:
        """Send an answer on, or the first share of it."""
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in answer.headers):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: int(len(answer.body) * share)])

    def hang_up(self) -> None:
        """End the connection at once."""
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""
