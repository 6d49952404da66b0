"""Push and fetch: only what is new is sent, what is cut off goes on, wrong bytes are not kept."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.store.remotes import Client, Watched, bucket_at, noise

from towpath.digest import of_bytes
from towpath.errors import Broken, Unavailable, UnknownName, UsageError
from towpath.store.memory import MemoryStore
from towpath.store.remote import Remote
from towpath.store.remote.memory import MemoryBucket

MB = 1 << 20


@pytest.fixture
def bucket():
    return MemoryBucket()


@pytest.fixture
def client(tmp_path, bucket):
    return Client(tmp_path / "one", bucket)


@pytest.fixture
def other(tmp_path, bucket):
    return Client(tmp_path / "other", bucket)


def packs(bucket):
    return {stored.key: stored.size for stored in bucket.list("packs")}


@pytest.mark.parametrize("size", [0, 1, MB - 1, MB, 10 * MB, 40 * MB])
def test_what_is_pushed_comes_back_elsewhere(client, other, size):
    objects = client.add(noise(size))
    pushed = client.push(objects)
    assert (pushed.objects, pushed.size) == (1, size)
    assert client.remote.has(objects) == set(objects)
    assert other.fetch(objects).objects == 1
    assert other.holds(objects)


def test_stores_without_files_push_and_fetch_too(bucket):
    store, other, data = MemoryStore(), MemoryStore(), noise(5 * MB)
    digest = store.put(data)
    Remote(bucket).push(store, [(digest, len(data))])
    Remote(bucket).fetch([digest], other)
    assert other.get(digest) == data


def test_what_is_there_is_not_sent_again(client, other):
    objects = client.add(b"", b"small", noise(5 * MB))
    client.push(objects)
    again = client.push(objects)
    assert (again.objects, again.sent, str(again)) == (0, 0, "nothing new")
    other.fetch(objects)
    assert other.fetch(objects).sent == 0
    assert other.push(objects).sent == 0


def test_small_objects_share_packs(client, other, bucket):
    objects = client.add(*(noise(10_000, seed) for seed in range(5000)))
    client.push(objects)
    assert len(packs(bucket)) == 3
    assert max(packs(bucket).values()) <= 16 * MB
    other.fetch(objects)
    assert other.holds(objects)


def test_few_of_many_small_objects_are_fetched_with_few_bytes(client, other):
    objects = client.add(*(noise(10_000, seed) for seed in range(3000)))
    client.push(objects)
    some = sorted(objects)[::1500]
    assert other.fetch(some).sent < 300_000


@pytest.mark.slow
@pytest.mark.parametrize("change", ["appended", "inserted"])
def test_of_a_large_file_that_changed_by_one_percent_three_percent_are_sent_and_fetched(client, other, change):
    before, new = noise(100 * MB), noise(MB, seed=1)
    at = len(before) if change == "appended" else len(before) // 2
    objects = client.add(before)
    client.push(objects)
    other.fetch(objects)
    changed = client.add(before[:at] + new + before[at:])
    assert client.push(changed).sent <= 0.03 * sum(changed.values())
    assert other.fetch(changed).sent <= 0.03 * sum(changed.values())
    assert other.holds(changed)


def test_chunks_that_repeat_in_an_object_are_sent_once(client, other):
    objects = client.add(bytes(40 * MB))
    assert client.push(objects).sent < 5 * MB
    other.fetch(objects)
    assert other.holds(objects)


class CutOff(Exception):
    pass


@pytest.mark.parametrize("after", [1, 10, 20, 39])
def test_a_push_that_was_cut_off_goes_on(tmp_path, bucket, other, after, monkeypatch):
    monkeypatch.setattr("towpath.store.remote.sending.PACK", MB)

    def cut(number, verb, key):
        if verb == "put" and key.startswith("packs") and len(packs(bucket)) >= after:
            raise CutOff

    broken = Client(tmp_path / "one", Watched(bucket, cut))
    objects = broken.add(noise(40 * MB))
    with pytest.raises(CutOff):
        broken.push(objects)
    sent = sum(packs(bucket).values())
    assert sent > (after - 1) * MB * 0.7
    assert Client(tmp_path / "one", bucket).push(objects).sent < 40.1 * MB - sent
    other.fetch(objects)
    assert other.holds(objects)


def test_a_fetch_that_was_cut_off_goes_on(client, tmp_path, bucket):
    objects = client.add(noise(60 * MB), *(noise(1000, seed) for seed in range(10)))
    client.push(objects)
    spans = []

    def cut(number, verb, key):
        if verb == "get" and key.startswith("packs"):
            spans.append(key)
            if len(spans) > 4:
                raise CutOff

    with pytest.raises(CutOff):
        Client(tmp_path / "two", Watched(bucket, cut)).fetch(objects)
    second = Client(tmp_path / "two", bucket)
    assert second.fetch(objects).sent < 45 * MB
    assert second.holds(objects)
    assert list((tmp_path / "two" / "remote" / "partial").iterdir()) == []


def test_many_writers_at_once(tmp_path, bucket, other):
    clients = [Client(tmp_path / str(n), bucket) for n in range(6)]
    shared = [noise(3 * MB), noise(1000)]
    objects = [client.add(*shared, noise(2 * MB, seed=n + 1), b"own %d" % n) for n, client in enumerate(clients)]
    start = threading.Barrier(6)

    def work(n):
        start.wait()
        clients[n].push(objects[n])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    everything = {digest: size for one in objects for digest, size in one.items()}
    other.fetch(everything)
    assert other.holds(everything)


def test_two_processes_that_fetch_the_same_into_one_store(client, tmp_path, bucket):
    objects = client.add(noise(40 * MB))
    client.push(objects)
    two = [Client(tmp_path / "shared", bucket) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        moved = list(pool.map(lambda one: one.fetch(objects), two))
    assert two[0].holds(objects)
    assert sum(one.sent for one in moved) < 45 * MB, "the second waits for the first"


def test_progress_ends_at_the_whole(client, other):
    objects = client.add(noise(30 * MB), b"small")
    told = []
    client.push(objects, tell=told.append)
    assert (told[-1].total, told[-1].sent > 30 * MB, told[-1].rate > 0) == (30 * MB + 5, True, True)
    assert [one.done for one in told] == sorted(one.done for one in told)
    other.fetch(objects, tell=told.append)
    assert told[-1].done == told[-1].total == 30 * MB + 5


def test_what_the_remote_has_not_is_named_and_nothing_is_fetched(client, other):
    objects = client.add(b"pushed")
    client.push(objects)
    absent = of_bytes(b"never pushed")
    with pytest.raises(UnknownName, match=f"1 of 2 objects are not in memory: {absent}") as caught:
        other.fetch([*objects, absent])
    assert "towpath data push" in caught.value.mend
    assert not other.store.has(next(iter(objects)))


@pytest.mark.parametrize("size", [10, 5 * MB])
def test_what_the_store_has_not_or_has_damaged_is_not_pushed(client, size):
    with pytest.raises(UnknownName, match=of_bytes(b"never put")):
        client.push({of_bytes(b"never put"): size})
    objects = client.add(noise(size))
    digest = next(iter(objects))
    path = client.store.path(digest)
    path.chmod(0o644)
    path.write_bytes(b"x" + path.read_bytes()[1:])
    with pytest.raises(Broken, match=digest):
        client.push(objects)
    assert client.remote.has(objects) == set()


def flip(bucket, key, at=0):
    data, stored = bucket.files[key]
    bucket.files[key] = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], stored


@pytest.mark.parametrize("size", [1000, 9 * MB])
def test_wrong_bytes_are_named_with_their_place_and_not_kept(client, other, bucket, size):
    objects = client.add(noise(size))
    client.push(objects)
    good = client.add(b"good")
    client.push(good)
    pack = max(packs(bucket), key=packs(bucket).get)
    flip(bucket, pack, size // 2)
    with pytest.raises(Broken, match=f"{pack}.*is corrupt") as caught:
        other.fetch([*good, *objects])
    assert caught.value.mend
    assert not any(other.store.has(digest) for digest in objects)
    flip(bucket, pack, size // 2)
    other.fetch([*good, *objects])
    assert other.holds(objects | good)


def test_a_damaged_index_is_named(client, other, bucket):
    client.push(client.add(b"data"))
    key = next(stored.key for stored in bucket.list("index"))
    flip(bucket, key, 5)
    with pytest.raises(Broken, match=f"memory/{key} is corrupt"):
        other.remote.has([])


def test_a_damaged_copy_of_an_index_is_read_anew(client, bucket, tmp_path):
    objects = client.add(b"data")
    client.push(objects)
    for kept in (tmp_path / "one" / "remote" / "index").iterdir():
        kept.write_bytes(b"half")
    assert Client(tmp_path / "one", bucket).remote.has(objects) == set(objects)


def test_a_pack_that_somebody_deleted_is_named_and_comes_back_with_the_next_push_after_a_gc(client, other, bucket):
    objects = client.add(noise(2 * MB), b"data")
    client.push(objects)
    pack = next(iter(packs(bucket)))
    bucket.delete([pack])
    with pytest.raises(Broken, match=f"memory/{pack} is not there"):
        other.fetch(objects)
    assert client.remote.verify(deep=False).faults == (f"memory/{pack} is not there",)
    client.remote.gc(objects)
    client.push(objects)
    other.fetch(objects)
    assert other.holds(objects)
    assert client.remote.verify().faults == ()


def test_verify_reads_everything_and_names_what_is_wrong(client, bucket):
    objects = client.add(noise(3 * MB), b"data")
    client.push(objects)
    sound = client.remote.verify()
    assert (sound.faults, sound.packs, sound.size, sound.read) == ((), 1, 3 * MB + 4, 3 * MB + 4)
    assert "no fault" in str(sound)
    pack = next(iter(packs(bucket)))
    flip(bucket, pack, 100)
    assert client.remote.verify(deep=False).faults == ()
    assert [pack in fault and "corrupt" in fault for fault in client.remote.verify().faults] == [True]
    data, _ = bucket.files[pack]
    bucket.put(pack, data[:-1])
    assert f"memory/{pack} has {3 * MB + 3} bytes and not {3 * MB + 4}" in client.remote.verify(deep=False).faults


def test_a_remote_of_a_later_version_is_not_written_to(client, bucket):
    bucket.put("form", b"2\n")
    with pytest.raises(UsageError, match="form b'2"):
        client.push(client.add(b"data"))
    with pytest.raises(UsageError, match="form"):
        client.remote.gc([])
    assert packs(bucket) == {}


def test_a_bucket_that_ignores_conditional_writes_is_refused_before_the_first_byte(tmp_path):
    class Overwriting(MemoryBucket):
        def put(self, key, data, *, new=False):
            return super().put(key, data)

    bucket = Overwriting()
    client = Client(tmp_path, bucket)
    with pytest.raises(UsageError, match="ignores conditional writes"):
        client.push(client.add(b"data"))
    assert bucket.files == {}


def test_strange_files_in_the_bucket_are_left_alone(client, other, bucket):
    for key in ("index/.DS_Store", "packs/readme.txt", "condemned/x"):
        bucket.put(key, b"not ours")
    objects = client.add(b"data")
    client.push(objects)
    client.remote.gc([], grace=timedelta(0))
    client.remote.gc([], grace=timedelta(0))
    assert {"index/.DS_Store", "packs/readme.txt", "condemned/x"} < bucket.files.keys()


def test_a_folder_is_a_remote(tmp_path):
    client, other = (Client(tmp_path / name, bucket_at(str(tmp_path / "shared"))) for name in ("one", "two"))
    objects = client.add(noise(5 * MB), b"", b"small")
    client.push(objects)
    other.fetch(objects)
    assert other.holds(objects)


def test_a_full_disk_where_a_large_object_grows_is_told(client, other, tmp_path, monkeypatch):
    objects = client.add(noise(5 * MB))
    client.push(objects)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    with pytest.raises(Unavailable, match=r"partial cannot be written.*No space left") as caught:
        other.fetch(objects)
    assert "the same command goes on" in caught.value.mend
    monkeypatch.undo()
    other.fetch(objects)
    assert other.holds(objects)


BOUNDED = """
import sys, threading, time
from pathlib import Path
from towpath.store.local import LocalStore
from towpath.store.remote import Remote
from towpath.store.remote.folder import FolderBucket

peak, root, size = 0, Path(sys.argv[1]), int(sys.argv[2])
def watch():
    global peak
    while True:
        line = next(line for line in open("/proc/self/status") if line.startswith("RssAnon"))
        peak = max(peak, int(line.split()[1]) * 1024)
        time.sleep(0.005)
threading.Thread(target=watch, daemon=True).start()
with (root / "file").open("wb") as file:
    source = open("/dev/urandom", "rb")
    for _ in range(size >> 20):
        file.write(source.read(1 << 20))
bucket = FolderBucket(root / "shared")
store, other = LocalStore(root / "one"), LocalStore(root / "two")
digest = store.put_file(root / "file")
Remote(bucket, root / "a").push(store, [(digest, size)])
Remote(bucket, root / "b").fetch([digest], other)
print(peak)
"""


@pytest.mark.slow
def test_memory_is_bounded_whatever_the_size(tmp_path):
    ran = subprocess.run([sys.executable, "-c", BOUNDED, str(tmp_path), str(600 * MB)], check=True, capture_output=True, text=True)
    assert int(ran.stdout) < 400 * MB
