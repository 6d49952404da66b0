"""kill -9 of push, fetch and gc at random moments, and a full disk: nothing is lost, and the same command again finishes."""

import random
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from tests.store.remotes import Client, bucket_at, noise

from towpath.errors import Unavailable

CHILD = """
import sys
from datetime import timedelta
from pathlib import Path
import towpath.store.remote.sending as sending
from towpath.store.local import LocalStore
from towpath.store.remote import Remote
from towpath.store.remote.folder import FolderBucket
sending.PACK, sending.PACKS_AN_INDEX = 200_000, 4  # so that there are many moments
verb, folder, shared = sys.argv[1:4]
objects = dict(line.split() for line in sys.stdin)
store, remote = LocalStore(Path(folder) / "store"), Remote(FolderBucket(Path(shared)), Path(folder) / "remote")
print("ready", flush=True)
if verb == "push":
    remote.push(store, [(digest, int(size)) for digest, size in objects.items()])
elif verb == "fetch":
    remote.fetch(objects, store)
else:
    remote.gc(objects, grace=timedelta(0))
"""


class Killer:
    """Runs a verb in a process of its own and kills it somewhere between its first and its last moment."""

    def __init__(self, verb, folder, shared, seed=0) -> None:
        self._command = [sys.executable, "-c", CHILD, verb, str(folder), str(shared)]
        self._random, self._longest, self.killed = random.Random(seed), 0.05, 0

    def run(self, objects) -> None:
        with subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            child.stdin.write("".join(f"{digest} {size}\n" for digest, size in objects.items()))
            child.stdin.close()
            assert child.stdout.readline() == "ready\n"
            start = time.monotonic()
            try:
                child.wait(self._random.uniform(0, self._longest))
                assert child.returncode == 0
            except subprocess.TimeoutExpired:
                child.kill()
                self.killed += 1
            else:
                self._longest = 0.9 * (time.monotonic() - start)
        self._longest *= 1.1


TIMES = [4, pytest.param(100, marks=[pytest.mark.parts, pytest.mark.timeout(900)])]


@pytest.fixture
def shared(tmp_path):
    return tmp_path / "shared"


def some(seed):
    """Objects of a round: a large one that shares most of its chunks with the others', and small ones."""
    return [noise(1_500_000) + noise(300_000, seed=seed), *(noise(10_000, seed=1000 * seed + n) for n in range(30))]


def is_whole(tmp_path, shared, objects, name):
    reader = Client(tmp_path / name, bucket_at(str(shared)))
    reader.fetch(objects)
    return reader.holds(objects) and reader.remote.verify().faults == ()


@pytest.mark.parametrize("times", TIMES)
def test_a_push_that_is_killed(tmp_path, shared, times):
    client, killer = Client(tmp_path / "one", bucket_at(str(shared))), Killer("push", tmp_path / "one", shared)
    pushed = {}
    while killer.killed < times:
        objects = client.add(*some(killer.killed + 1))
        killer.run(objects)
        assert client.remote.verify().faults == ()
        client.push(objects)
        pushed |= objects
    assert is_whole(tmp_path, shared, pushed, "reader")


@pytest.mark.parametrize("times", TIMES)
def test_a_fetch_that_is_killed(tmp_path, shared, times):
    client, killer = Client(tmp_path / "one", bucket_at(str(shared))), Killer("fetch", tmp_path / "reader", shared)
    seed = 0
    while killer.killed < times:
        seed += 1
        objects = client.add(*some(seed), noise(4_000_000, seed=seed))
        client.push(objects)
        killer.run(objects)
        reader = Client(tmp_path / "reader", bucket_at(str(shared)))
        assert reader.holds({digest: size for digest, size in objects.items() if reader.store.has(digest)})
        reader.fetch(objects)
        assert reader.holds(objects)


@pytest.mark.parametrize("times", TIMES)
def test_a_gc_that_is_killed(tmp_path, shared, times):
    client, killer = Client(tmp_path / "one", bucket_at(str(shared))), Killer("gc", tmp_path / "one", shared)
    live = client.add(*some(1))
    client.push(live)
    seed = 1
    while killer.killed < times:
        seed += 1
        client.push(client.add(*some(seed)))
        killer.run(live)
        assert is_whole(tmp_path, shared, live, f"reader {seed % 3}")
    for _ in range(4):
        client.remote.gc(live, grace=timedelta(0))
    assert client.remote.has(client.add(*some(seed))) <= set(live)
    assert is_whole(tmp_path, shared, live, "last")


@contextmanager
def small_disk(folder, size):
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parts
def test_a_disk_that_is_full_in_the_middle_of_a_push(tmp_path, shared):
    client, other = (Client(tmp_path / name, bucket_at(str(shared))) for name in ("one", "other"))
    with small_disk(shared, "60m"):
        first, large = client.add(noise(5 << 20)), client.add(noise(100 << 20, seed=1))
        client.push(first)
        for _ in range(2):
            with pytest.raises(Unavailable, match="No space left on device") as caught:
                client.push(large)
            assert str(shared) in caught.value.what
            assert "free space" in caught.value.mend
            assert client.remote.verify().faults == ()
        other.fetch(first)
        assert other.holds(first)
        subprocess.run(["mount", "-o", "remount,size=200m", str(shared)], check=True)
        client.push(large)
        other.fetch(large)
        assert other.holds(large)


@pytest.mark.parts
def test_a_disk_that_is_full_in_the_middle_of_a_fetch(tmp_path, shared):
    client, other = Client(tmp_path / "one", bucket_at(str(shared))), tmp_path / "other"
    objects = client.add(noise(50 << 20), *(noise(500_000, seed=n) for n in range(40)))
    client.push(objects)
    with small_disk(other, "40m"):
        reader = Client(other, bucket_at(str(shared)))
        with pytest.raises(Unavailable, match="No space left on device"):
            reader.fetch(objects)
        subprocess.run(["mount", "-o", "remount,size=200m", str(other)], check=True)
        reader.fetch(objects)
        assert reader.holds(objects)
