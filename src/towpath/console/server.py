"""The console over HTTP: read only, on this machine only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import urlsplit

import msgspec

from towpath.console import page
from towpath.console.view import View
from towpath.errors import TowpathError, UsageError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# the page brings everything with it; nothing that gets into it may load or send anything
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HTML, _JSON, _TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"

Read = Callable[[], View]
_FORMS: dict[str, tuple[str, Callable[[View], str]]] = {
    "/": (_HTML, page.page),
    "/fragment": (_HTML, page.fragment),
    "/view.json": (_JSON, lambda view: msgspec.json.encode(view).decode()),
}


class Console(ThreadingHTTPServer):
    """Answers ``/``, ``/fragment`` and ``/view.json`` from ``read``, which is called once at a time.

    Raises:
        UsageError: ``host`` is not this machine's loopback, or the port is taken.
    """

    daemon_threads = True
    # the port of a console that ended a moment ago is free to the next one
    allow_reuse_address = True

    def __init__(self, host: str, port: int, read: Read) -> None:
        if host not in LOOPBACK:
            raise UsageError(
                f"the console has no tokens, so it does not listen on {host}", mend="use 127.0.0.1, and a tunnel from elsewhere"
            )
        self._read, self._lock = read, Lock()
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as fault:
            raise UsageError(f"the console cannot listen on port {port}: {fault.strerror}", mend="name a free port, or 0 for any") from None

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def view(self) -> View:
        """What is to be shown now."""
        with self._lock:
            return self._read()


class _Handler(BaseHTTPRequestHandler):
    server: Console
    server_version, sys_version = "towpath", ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        status, kind, text = self._answer()
        data = text.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(data)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": _POLICY,
            "X-Content-Type-Options": "nosniff",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_HEAD = do_GET  # noqa: N815 - http.server looks for these names

    def _answer(self) -> tuple[HTTPStatus, str, str]:
        # a page from elsewhere that made its name point to this machine (DNS rebinding) gives that name as the host
        if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in LOOPBACK:
            return HTTPStatus.FORBIDDEN, _TEXT, "the console answers to 127.0.0.1 only\n"
        form = _FORMS.get(urlsplit(self.path).path)
        if form is None:
            return HTTPStatus.NOT_FOUND, _TEXT, f"there is {', '.join(_FORMS)}\n"
        kind, render = form
        try:
            return HTTPStatus.OK, kind, render(self.server.view())
        except TowpathError as error:
            return HTTPStatus.INTERNAL_SERVER_ERROR, _TEXT, f"error: {error.what}\n mend: {error.mend}\n"

    def _refuse(self) -> None:
        self.send_error(
            HTTPStatus.METHOD_NOT_ALLOWED, "the console only shows", "use the commands: towpath deploy, rollback, pause, resume"
        )

    do_POST = do_PUT = do_DELETE = do_PATCH = _refuse  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Silent: a page that refreshes itself would fill any log."""


def serve(host: str, port: int, read: Read) -> None:
    """Serve the console until interrupted. ``port`` 0 takes any free one. Raises UsageError as ``Console`` does."""
    with Console(host, port, read) as console:
        console.serve_forever()


@contextmanager
def running(host: str, port: int, read: Read) -> Iterator[str]:
    """Serve the console in the background of a ``with`` block; its address."""
    with Console(host, port, read) as console:
        thread = Thread(target=console.serve_forever, kwargs={"poll_interval": 0.05}, name="console", daemon=True)
        thread.start()
        try:
            yield console.address
        finally:
            console.shutdown()
            thread.join()
