"""A team's store keeps the contract of stores over every kind of remote, and what one machine synced another one gets."""

import pytest
from tests.store.remotes import Watched, noise

from towpath.digest import of_bytes
from towpath.errors import UnknownName
from towpath.store.local import LocalStore
from towpath.store.memory import MemoryStore
from towpath.store.remote import Remote
from towpath.store.remote.memory import MemoryBucket
from towpath.store.team import TeamStore
from towpath.testing import StoreContract


def flip(path):
    path.chmod(0o644)
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


class TestOverEveryBucket(StoreContract):
    @pytest.fixture
    def open_again(self, tmp_path, every_bucket):
        return lambda: TeamStore(LocalStore(tmp_path / "store"), Remote(every_bucket, tmp_path / "remote"))

    @pytest.fixture
    def damage(self, tmp_path):
        return lambda digest: flip(LocalStore(tmp_path / "store").path(digest))


@pytest.fixture
def bucket():
    return MemoryBucket()


def member(folder, bucket):
    return TeamStore(LocalStore(folder / "store"), Remote(bucket, folder / "remote"))


def test_what_one_synced_the_other_gets(tmp_path, bucket):
    one, other = member(tmp_path / "one", bucket), member(tmp_path / "other", bucket)
    file = tmp_path / "file"
    file.write_bytes(noise(3 << 20))
    small, large = one.put(b"small"), one.put_file(file)
    assert not other.has(small)
    with pytest.raises(UnknownName, match=small):
        other.get(small)
    one.sync()
    assert other.has(small)
    assert other.get(small) == b"small"
    other.get_file(large, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == file.read_bytes()
    assert other.local.has(large), "it is kept"


def test_a_manifest_put_after_a_sync_names_nothing_that_others_cannot_get(tmp_path, bucket):
    one, other = member(tmp_path / "one", bucket), member(tmp_path / "other", bucket)
    parts = [one.put(b"part %d" % n) for n in range(3)]
    one.sync()
    manifest = one.put(" ".join(parts).encode())
    one.sync()
    assert [other.get(part) for part in other.get(manifest).decode().split()] == [b"part 0", b"part 1", b"part 2"]


def test_a_sync_that_failed_is_made_good_by_the_next(tmp_path, bucket):
    class Down(Exception):
        pass

    def down(number, verb, key):
        if verb == "put" and key.startswith("packs") and bucket.place == "down":
            raise Down

    store = TeamStore(MemoryStore(), Remote(Watched(bucket, down)))
    digest = store.put(b"data")
    bucket.place = "down"
    with pytest.raises(Down):
        store.sync()
    bucket.place = "up"
    store.sync()
    assert member(tmp_path / "other", bucket).get(digest) == b"data"


def test_a_sync_with_nothing_new_asks_nobody(bucket):
    calls = []
    store = TeamStore(MemoryStore(), Remote(Watched(bucket, lambda *call: calls.append(call))))
    store.sync()
    assert calls == []
    store.put(b"data")
    store.sync()
    after = len(calls)
    store.sync()
    assert len(calls) == after


def test_to_ask_of_many_that_the_remote_has_is_one_look(tmp_path, bucket):
    one, calls = member(tmp_path / "one", bucket), []
    digests = [one.put(b"%d" % n) for n in range(50)]
    one.sync()
    other = member(tmp_path / "other", Watched(bucket, lambda *call: calls.append(call)))
    assert all(other.has(digest) for digest in digests)
    assert len(calls) < 5
    late = one.put(b"later")
    one.sync()
    assert other.has(late)


def test_what_neither_has_is_unknown(tmp_path, bucket):
    store = member(tmp_path, bucket)
    with pytest.raises(UnknownName):
        store.get(of_bytes(b"nobody put it"))
    assert not store.has(of_bytes(b"nobody put it"))
