"""Processes at one ledger that a team shares: of twenty every fact is kept once, and one decides; a killed one leaves whole appends."""

import os
import signal
import subprocess
import sys
import time

import pytest

from towpath.ledger import verify
from towpath.ledger.objects import ObjectLedger
from towpath.store.remote.cloud import CloudBucket
from towpath.store.remote.folder import FolderBucket
from towpath.testing.ledgers import fact, numbers

WRITERS = 20
FACTS = {"folder": 5, "bucket": 50, "postgres": 50}
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

GO_ON = """
import sys
from pathlib import Path
from towpath.testing.ledgers import fact
{bring}
ledger = {make}
for number in range(100_000):
    ledger.append([fact(2 * number), fact(2 * number + 1)])
    print(number, flush=True)
"""


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.parts), pytest.param("postgres", marks=pytest.mark.parts)])
def place(request, tmp_path):
    """Kind, address, environment, and a way to open it here."""
    if request.param == "folder":
        return request.param, str(tmp_path), {}, lambda: ObjectLedger(FolderBucket(tmp_path))
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        from towpath.ledger.postgres import PostgresLedger

        url = server.schema()
        return request.param, url, {}, lambda: PostgresLedger(url)
    server, monkeypatch = request.getfixturevalue("seaweedfs"), request.getfixturevalue("monkeypatch")
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    url = server.new()
    return request.param, url, server.environ, lambda: ObjectLedger(CloudBucket(url))


@pytest.mark.slow
def test_twenty_processes_lose_nothing_and_one_decides(place):
    kind, address, environ, opened = place
    facts = FACTS[kind]
    code = WRITE.format(bring=BRING[kind], make=MAKE[kind])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": {**os.environ, **environ}}
    writers = [subprocess.Popen([sys.executable, "-c", code, address, str(n), str(facts)], **pipes) for n in range(WRITERS)]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n", writer.stderr.read()
    told = WRITERS * facts + facts
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    reader, seen = opened(), 0
    while seen < told and all(writer.poll() is None for writer in writers):
        seen += sum(1 for _ in reader.read(seen))
        time.sleep(0.02)
    ends = [writer.communicate(f"{told}\n") for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * WRITERS, [err for _, err in ends if err]

    assert sorted(out for out, _ in ends) == ["lost\n"] * (WRITERS - 1) + ["won\n"]
    found = numbers(opened())
    assert len(found) == told + 1
    assert sorted(n for n in found if n >= 999_000) == [999_000 + k for k in range(facts)]
    for number in range(WRITERS):
        assert [n % 1000 for n in found if n // 1000 == number] == list(range(facts))
    assert verify(opened().read()).faults == ()


@pytest.mark.parametrize("after_s", [0.0, 0.013, 0.041])
def test_kill_9_in_the_middle_of_appends_leaves_whole_ones(place, after_s):
    kind, address, environ, opened = place
    command = [sys.executable, "-c", GO_ON.format(bring=BRING[kind], make=MAKE[kind]), address]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environ})
    process.stdout.readline()
    time.sleep(after_s)
    os.kill(process.pid, signal.SIGKILL)
    acknowledged = 1 + len(process.communicate()[0].splitlines())
    opened().append([fact(500_000)])  # and nobody has to take a lock away
    found = numbers(opened())
    kept = [n for n in found if n != 500_000]
    assert kept == list(range(len(kept)))
    assert len(kept) in (2 * acknowledged, 2 * acknowledged + 2)  # the last may be written and not yet told
    assert verify(opened().read()).faults == ()
