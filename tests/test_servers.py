"""The servers of :mod:`tests.servers` answer, and go with the process that started them."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.parts

HOLD = """
import sys, time
from tests import servers
with servers.{start}() as server:
    print(server.port, flush=True)
    time.sleep(60)
"""


def test_postgresql_answers_and_asks_for_a_password(postgres):
    import psycopg

    assert postgres.execute("SELECT 1 + 1") == [(2,)]
    assert postgres.execute("SELECT current_database()", postgres.new()) != [("postgres",)]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.url(password="wrong"))


@pytest.mark.parametrize("kind", ["seaweedfs", "moto"])
def test_a_bucket_answers(kind, request, monkeypatch):
    import obstore

    server = request.getfixturevalue(kind)
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    store = obstore.store.from_url(server.new())
    obstore.put(store, "a/b", b"bytes")
    assert bytes(obstore.get(store, "a/b").bytes()) == b"bytes"
    assert obstore.store.from_url(server.new()).list().collect() == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("start", ["postgresql", "weed", "moto_server"])
def test_a_server_ends_with_its_process(start, how, request):
    request.getfixturevalue({"postgresql": "postgres", "weed": "seaweedfs", "moto_server": "moto"}[start])  # or the test is skipped
    root = Path(__file__).parent.parent
    holder = subprocess.Popen([sys.executable, "-c", HOLD.format(start=start)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root)
    port = int(holder.stdout.readline())
    assert listens(port)
    os.kill(holder.pid, how)
    holder.communicate()
    assert not still_after(5, port)


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def still_after(seconds, port):
    until = time.monotonic() + seconds
    while listens(port) and time.monotonic() < until:
        time.sleep(0.05)
    return listens(port)
