"""A real MLflow server on 127.0.0.1 with a database of its own, which may be stopped and started again."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest


class Mlflow:
    """Keeps its port and its database from start to start."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url, self._folder = f"http://127.0.0.1:{port}", folder
        self._command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        self._command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts")]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self._folder)
        for _ in range(300):
            try:
                with urlopen(f"{self.url}/health", timeout=1):
                    return
            except (URLError, OSError):
                time.sleep(0.2)
        raise AssertionError((self._folder / "log").read_text())

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(20)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one that is up."""
    running = Mlflow(tmp_path_factory.mktemp("mlflow"))
    running.start()
    yield running.url
    running.stop()


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Mlflow]:
    """One that is down, until a test starts it."""
    folder = tmp_path / "mlflow"
    folder.mkdir()
    one = Mlflow(folder)
    yield one
    one.stop()
