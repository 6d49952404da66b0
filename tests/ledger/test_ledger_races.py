"""Twenty processes at one ledger that a team shares: every fact once, each writer's in its own order, one decision a position."""

import os
import subprocess
import sys

import pytest

from towpath.ledger import verify
from towpath.ledger.objects import ObjectLedger
from towpath.store.remote.cloud import CloudBucket
from towpath.store.remote.folder import FolderBucket
from towpath.testing.ledgers import numbers

WRITERS, FACTS = 20, 5
BRING = {
    "folder": "from towpath.ledger.objects import ObjectLedger; from towpath.store.remote.folder import FolderBucket",
    "bucket": "from towpath.ledger.objects import ObjectLedger; from towpath.store.remote.cloud import CloudBucket",
    "postgres": "from towpath.ledger.postgres import PostgresLedger",
}
MAKE = {
    "folder": "ObjectLedger(FolderBucket(Path(sys.argv[1])))",
    "bucket": "ObjectLedger(CloudBucket(sys.argv[1]))",
    "postgres": "PostgresLedger(sys.argv[1])",
}
WRITE = """
import sys
from pathlib import Path
from towpath.errors import Conflict
from towpath.testing.ledgers import fact, numbers
{bring}
ledger = {make}
writer, facts = int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()  # all begin together
for number in range(facts):
    ledger.append([fact(1000 * writer + number), fact(999_000 + number)])  # the second is told by all
at = int(sys.stdin.readline())
try:
    ledger.append([fact(500_000 + writer)], expected=at)
    print("won")
except Conflict:
    print("lost")
"""


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.parts), pytest.param("postgres", marks=pytest.mark.parts)])
def place(request, tmp_path):
    """Kind, address, environment, and a way to open it here."""
    if request.param == "folder":
        return request.param, str(tmp_path), {}, lambda: ObjectLedger(FolderBucket(tmp_path))
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        from towpath.ledger.postgres import PostgresLedger

        url = server.url(server.new())
        return request.param, url, {}, lambda: PostgresLedger(url)
    server, monkeypatch = request.getfixturevalue("seaweedfs"), request.getfixturevalue("monkeypatch")
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    url = server.new()
    return request.param, url, server.environ, lambda: ObjectLedger(CloudBucket(url))


@pytest.mark.slow
def test_twenty_processes_lose_nothing_and_one_decides(place):
    kind, address, environ, opened = place
    code = WRITE.format(bring=BRING[kind], make=MAKE[kind])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": {**os.environ, **environ}}
    writers = [subprocess.Popen([sys.executable, "-c", code, address, str(n), str(FACTS)], **pipes) for n in range(WRITERS)]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n", writer.stderr.read()
    told = WRITERS * FACTS + FACTS
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    while len(numbers(opened())) < told and all(writer.poll() is None for writer in writers):
        pass
    ends = [writer.communicate(f"{told}\n") for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * WRITERS, [err for _, err in ends if err]

    assert sorted(out for out, _ in ends) == ["lost\n"] * (WRITERS - 1) + ["won\n"]
    found = numbers(opened())
    assert len(found) == told + 1
    assert sorted(n for n in found if n >= 999_000) == [999_000 + k for k in range(FACTS)]
    for number in range(WRITERS):
        assert [n % 1000 for n in found if n // 1000 == number] == list(range(FACTS))
    assert verify(opened().read()).faults == ()
