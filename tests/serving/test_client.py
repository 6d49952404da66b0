"""The raw client: a connection that the server closed while it was idle costs nobody an answer."""

from __future__ import annotations

import socket
from threading import Thread

import pytest

from towpath.errors import Unavailable
from towpath.serving.client import Client


def one_answer_a_connection(listener: socket.socket, connections: int) -> None:
    for _ in range(connections):
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_a_connection_that_was_closed_in_between_is_opened_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Thread(target=one_answer_a_connection, args=(listener, 3))
        server.start()
        client = Client("127.0.0.1", listener.getsockname()[1], connections=1)
        assert [client.get("/"), client.get("/"), client.post("/", b"{}")] == [(200, b"ok")] * 3
        client.close()
        server.join()


def test_a_server_that_is_not_there_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unavailable, match=str(port)):
        Client("127.0.0.1", port).get("/")
