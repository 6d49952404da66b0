"""What only a folder shared by processes can promise."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.digest import of_bytes
from towpath.errors import Broken, Unavailable, UnknownName
from towpath.store.local import LocalStore
from towpath.testing.stores import execution

PUT = """
import sys
from pathlib import Path
from towpath.store.local import LocalStore
store = LocalStore(Path(sys.argv[1]))
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    print(store.put(b"object %d " % number * 20_000), flush=True)
"""


def putter(root, count):
    command = [sys.executable, "-c", PUT, str(root), str(count)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def objects(root: Path) -> list[Path]:
    return [path for path in (root / "objects").rglob("*") if path.is_file()]


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


def test_processes_that_put_the_same_bytes_agree(store):
    putters = [putter(store.root, 20) for _ in range(4)]
    told = [process.communicate("go\n")[0].split() for process in putters]
    assert [process.returncode for process in putters] == [0] * 4
    assert len({tuple(digests) for digests in told}) == 1
    assert len(objects(store.root)) == 20
    assert all(store.get(digest) for digest in told[0])
    assert list((store.root / "tmp").iterdir()) == []


@pytest.mark.parametrize("after_s", [0.0, 0.011, 0.03])
def test_kill_9_in_the_middle_of_puts_leaves_whole_objects_only(store, after_s):
    process = putter(store.root, 100_000)
    process.stdin.write("go\n")
    process.stdin.flush()
    first = process.stdout.readline().strip()
    time.sleep(after_s)
    os.kill(process.pid, signal.SIGKILL)
    told = [first, *process.communicate()[0].split()]
    assert all(store.get(digest) for digest in told if len(digest) == 64)
    for path in objects(store.root):
        assert of_bytes(path.read_bytes()) == path.parent.name + path.name


def test_a_temporary_file_never_has_an_objects_name(store):
    with store._temporary() as name:
        temporary = Path(name)
        temporary.write_bytes(b"half of it")
        assert objects(store.root) == []
        assert not store.has(of_bytes(b"half of it"))
        assert temporary.parent == store.root / "tmp"


def test_objects_may_only_be_read(store):
    path = store.path(store.put(b"data"))
    assert path.stat().st_mode & 0o777 == 0o444


@pytest.fixture
def flushed(monkeypatch):
    """The paths that are flushed, as they are flushed."""
    paths = []
    real = os.fsync

    def fsync(handle):
        paths.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return paths


def test_sync_flushes_objects_and_their_folders_once(store, flushed):
    paths = [store.path(store.put(bytes([n]))) for n in range(3)]
    assert flushed == []
    store.sync()
    assert set(flushed) == {str(p) for path in paths for p in (path, path.parent, path.parent.parent)}
    flushed.clear()
    store.sync()
    assert flushed == []


def test_an_object_that_another_process_put_is_flushed_too(store, flushed):
    other = LocalStore(store.root)
    path = other.path(other.put(b"not synced by who put it"))
    store.put(b"not synced by who put it")
    store.sync()
    assert str(path) in flushed


def test_a_truncated_object_is_named_with_its_file(store):
    digest = store.put(b"whole")
    path = store.path(digest)
    path.chmod(0o644)
    path.write_bytes(b"")
    with pytest.raises(Broken, match=digest) as caught:
        store.get(digest)
    assert str(path) in caught.value.what
    assert "verify store --mend" in caught.value.mend


def test_a_lost_object_is_put_again(store):
    digest = store.put(b"data")
    store.path(digest).unlink()
    with pytest.raises(UnknownName):
        store.get(digest)
    assert store.put(b"data") == digest
    assert store.get(digest) == b"data"


def test_a_torn_note_of_an_execution_is_none(store):
    ran = execution("one", store.put(b"output"))
    store.remember(ran)
    (note,) = (store.root / "executions").rglob("*.json")
    note.write_bytes(note.read_bytes()[:20])
    assert store.recall(ran.fingerprint) is None
    store.remember(ran)
    assert store.recall(ran.fingerprint) == ran


def test_sync_does_not_call_a_lost_object_durable(store):
    digest = store.put(b"data")
    store.path(digest).unlink()
    for _ in range(2):
        with pytest.raises(Unavailable, match=digest[2:]):
            store.sync()
    store.put(b"data")
    store.sync()


def test_a_missing_file_is_told_and_leaves_nothing(store, tmp_path):
    with pytest.raises(FileNotFoundError):
        store.put_file(tmp_path / "missing")
    assert list((store.root / "tmp").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    mount = tmp_path / "disk"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", mount], capture_output=True)
    if done.returncode:
        pytest.skip("only root can mount a small disk")
    yield mount
    subprocess.run(["umount", mount], check=True)


@pytest.mark.parts
def test_a_full_disk_is_told_and_leaves_no_half_object(small_disk, tmp_path):
    store = LocalStore(small_disk / "store")
    kept = store.put(b"fits")
    (tmp_path / "big").write_bytes(bytes(1_000_000))
    for use in (lambda: store.put(bytes(1_000_000)), lambda: store.put_file(tmp_path / "big")):
        with pytest.raises(Unavailable, match="No space left"):
            use()
        assert list((store.root / "tmp").iterdir()) == []
    assert store.get(kept) == b"fits"
    assert len(objects(store.root)) == 1


@pytest.mark.skipif(os.getuid() == 0, reason="root reads and writes everything")
def test_a_folder_that_may_not_be_written_is_told(store):
    (store.root / "tmp").chmod(0o555)
    with pytest.raises(Unavailable, match="Permission denied"):
        store.put(b"data")
    (store.root / "tmp").chmod(0o755)


def test_a_path_that_is_no_folder_is_told(tmp_path):
    (tmp_path / "store").write_text("a file")
    with pytest.raises(Unavailable, match="store"):
        LocalStore(tmp_path / "store")


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_come_back(tmp_path_factory, data):
    store = LocalStore(tmp_path_factory.getbasetemp() / "shared-store")
    assert store.get(store.put(data)) == data
    assert store.put(data) == of_bytes(data)
