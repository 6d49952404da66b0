"""A TCP line between a client and a real server that goes dead at a chosen word: with what was said, or with the answer to it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from enum import StrEnum


class Fate(StrEnum):
    UNSAID = "cut before the server heard it"
    UNHEARD = "cut when the server has answered"
    CUT = "cut when it was sent on"
    SILENT = "sent on, then nothing more in either direction"


class Line:
    """Listens at ``port``. The first ``times`` that a client sends ``word``, ``fate`` befalls its connection."""

    def __init__(self, server_port: int, word: bytes, fate: Fate, *, times: int = 1) -> None:
        self._to, self._word, self._fate, self.left = server_port, word, fate, times
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self._listener, *self._open):
            _cut(end)
        for thread in self._threads:
            thread.join(5)
        for end in (self._listener, *self._open):
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self._to))
                self._open += [client, server]
                befallen = threading.Event()
                for work in (self._ask, self._answer):
                    self._threads.append(threading.Thread(target=work, args=(client, server, befallen), daemon=True))
                    self._threads[-1].start()

    def _ask(self, client: socket.socket, server: socket.socket, befallen: threading.Event) -> None:
        with suppress(OSError):
            while said := client.recv(1 << 16):
                if self._word in said and self.left > 0:
                    self.left -= 1
                    befallen.set()
                if not (befallen.is_set() and self._fate is Fate.UNSAID):
                    server.sendall(said)
                if befallen.is_set() and self._fate in (Fate.UNSAID, Fate.CUT):
                    break
        if not (befallen.is_set() and self._fate in (Fate.UNHEARD, Fate.SILENT)):
            _cut(client)
            _cut(server)

    def _answer(self, client: socket.socket, server: socket.socket, befallen: threading.Event) -> None:
        with suppress(OSError):
            while answer := server.recv(1 << 16):
                if not befallen.is_set():
                    client.sendall(answer)
                elif self._fate is Fate.UNHEARD:
                    break
        if not (befallen.is_set() and self._fate is Fate.SILENT):
            _cut(client)
            _cut(server)


def _cut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
