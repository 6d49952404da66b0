"""What happened is told to a webhook through `towpath tell`: once, in order, and after it was down."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.loop import little

from towpath import operator


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.got: list[str] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append(told["type"].split(".")[-2])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


def tell(root: Path) -> int:
    """`towpath tell` in a process of its own, as the loop starts it; its exit code."""
    command = [sys.executable, "-m", "towpath", "tell", "--project", str(root)]
    environ = {name: value for name, value in little.ENVIRON.items() if name != "TOWPATH_HOME"}
    return subprocess.run(command, env=environ, capture_output=True, check=False).returncode


def test_a_rollback_is_told_once_also_after_the_receiver_was_down(tmp_path: Path) -> None:
    receiver = Receiver()
    port = receiver.server_port
    text = little.YAML.replace("{shadow: 20, canary: [50%]}", "{}") + f'alerts: [{{webhook: "http://127.0.0.1:{port}/hook"}}]\n'
    root = little.make(tmp_path / "little", towpath=text)
    little.live(root)
    assert tell(root) == 0
    assert receiver.got == ["promotion"]
    receiver.end()
    little.commit(root, scaling=little.SCALING.replace("column / 10", "column / 12"))
    little.ran(root)
    little.staged(root, 2)
    little.loop(root).turn()
    operator.rollback(little.world(root), "ann", "complaints", quarantine=True)
    assert tell(root) == 1  # it is down: told, and nothing is lost
    assert little.world(root).state().live.champion("production") == 1
    again = Receiver(port)
    try:
        assert tell(root) == tell(root) == 0
        assert again.got == ["promotion", "rollback"]
    finally:
        again.end()
