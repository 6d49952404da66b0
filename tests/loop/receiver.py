"""A webhook's other end: a real server that keeps what it is sent, and may withhold an answer until the sender is dead."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver(ThreadingHTTPServer):
    """Listens on 127.0.0.1. The first message of the kind ``withhold`` is kept and gets no answer; ``withheld`` is set then.

    Every other message is answered after ``slow_s``.
    """

    daemon_threads = True

    def __init__(self, port: int = 0, *, withhold: str = "", slow_s: float = 0.0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.got: list[dict[str, Any]] = []
        self.slow_s, self.withhold, self.withheld = slow_s, withhold, threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def kinds(self) -> list[str]:
        """What each message was about."""
        return [kind_of(one) for one in self.got]

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


def kind_of(message: dict[str, Any]) -> str:
    """``rollback`` of ``dev.towpath.rollback.v1``."""
    return str(message["type"]).split(".")[-2]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append(told)
        if kind_of(told) == self.server.withhold and not self.server.withheld.is_set():
            self.server.withheld.set()
            self.rfile.read()  # returns when the sender is dead
            return
        time.sleep(self.server.slow_s)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None
