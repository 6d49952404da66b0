"""A raw keep-alive HTTP client: one request in flight on each of a few connections, nothing but sockets in between."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

from towpath.errors import Unavailable

_END = b"\r\n\r\n"


class Client:
    """Requests to one server. After a broken connection ``post_all`` says which requests had no answer.

    Args:
        connections: how many requests may be in flight at once.
        timeout_s: how long one answer may take.
    """

    def __init__(self, host: str, port: int, *, connections: int = 16, timeout_s: float = 30.0) -> None:
        self.address, self.timeout_s = (host, port), timeout_s
        self._idle: list[socket.socket | None] = [None] * connections

    def get(self, path: str) -> tuple[int, bytes]:
        """One GET; status and body."""
        return self._one(_head("GET", path, self.address, 0))

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """One POST; status and body."""
        return self._one(_head("POST", path, self.address, len(body)) + body)

    def post_all(self, path: str, bodies: Sequence[bytes]) -> Iterator[tuple[int, bytes] | None]:
        """The answers in order; None for a request whose connection broke before its answer was whole."""
        width = len(self._idle)
        for start in range(0, len(bodies), width):
            chunk = bodies[start : start + width]
            sent = [self._send(slot, _head("POST", path, self.address, len(body)) + body) for slot, body in enumerate(chunk)]
            for slot, was_sent in enumerate(sent):
                yield self._receive(slot) if was_sent else None

    def close(self) -> None:
        """Close all connections."""
        for slot in range(len(self._idle)):
            self._drop(slot)

    def _one(self, message: bytes) -> tuple[int, bytes]:
        answer = self._receive(0) if self._send(0, message) else None
        if answer is None:  # a server closes a connection that was idle for long: once more, on a new one
            answer = self._receive(0) if self._send(0, message) else None
        if answer is None:
            raise Unavailable(f"the server on {self.address[0]}:{self.address[1]} did not answer", mend="is it up? look at its log")
        return answer

    def _send(self, slot: int, message: bytes) -> bool:
        try:
            connection = self._idle[slot] or self._connect(slot)
            connection.sendall(message)
        except OSError:
            self._drop(slot)
            return False
        return True

    def _connect(self, slot: int) -> socket.socket:
        connection = socket.create_connection(self.address, timeout=self.timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._idle[slot] = connection
        return connection

    def _receive(self, slot: int) -> tuple[int, bytes] | None:
        connection = self._idle[slot]
        if connection is None:
            return None
        try:
            return _read(connection)
        except OSError:
            self._drop(slot)
            return None

    def _drop(self, slot: int) -> None:
        connection, self._idle[slot] = self._idle[slot], None
        if connection is not None:
            connection.close()


def _head(method: str, path: str, address: tuple[str, int], length: int) -> bytes:
    lines = (
        f"{method} {path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    return lines.encode()


def _read(connection: socket.socket) -> tuple[int, bytes]:
    data = connection.recv(65536)
    while data and _END not in data:
        data += _more(connection)
    head, _, body = data.partition(_END)
    fields = head.lower()
    at = fields.find(b"content-length:")
    if not data or at < 0:
        raise ConnectionError("no whole answer")
    length = int(fields[at + 15 :].split(b"\r\n", 1)[0])
    while len(body) < length:
        body += _more(connection)
    return int(head[9:12]), body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the server closed the connection in mid-answer")
    return data
