"""Every bucket keeps the contract; and what each refuses."""

import itertools

import pytest
from tests.store.remotes import bucket_at

from towpath.errors import Unavailable, UsageError
from towpath.store.remote import prove
from towpath.store.remote.cloud import CloudBucket
from towpath.store.remote.folder import FolderBucket
from towpath.store.remote.memory import MemoryBucket
from towpath.testing import BucketContract


class TestMemoryBucket(BucketContract):
    @pytest.fixture
    def open_again(self):
        bucket = MemoryBucket()
        return lambda: bucket


class TestFolder(BucketContract):
    @pytest.fixture
    def open_again(self, tmp_path):
        return lambda: FolderBucket(tmp_path / "a folder")

    def test_no_temporary_file_stays(self, open_again, tmp_path):
        open_again().put("key", b"1", new=True)
        open_again().put("key", b"1", new=True)
        assert [path.name for path in (tmp_path / "a folder").rglob("*") if path.is_file()] == ["key"]


class TestObstoreMemory(BucketContract):
    @pytest.fixture
    def open_again(self):
        bucket = bucket_at("memory:///")
        return lambda: bucket


@pytest.mark.parts
class TestSeaweedFS(BucketContract):
    @pytest.fixture
    def open_again(self, seaweedfs, monkeypatch):
        return opener(seaweedfs, monkeypatch)


@pytest.mark.parts
class TestMoto(BucketContract):
    @pytest.fixture
    def open_again(self, moto, monkeypatch):
        return opener(moto, monkeypatch)


def opener(server, monkeypatch):
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    url = server.new()
    return lambda: bucket_at(url)


class Overwriting(FolderBucket):
    """As s3rver: takes a conditional write for a plain one."""

    def put(self, key, data, *, new=False):
        return super().put(key, data)


class Losing(FolderBucket):
    """Says yes and keeps other bytes."""

    def get(self, key, start=0, end=None):
        return b"something else"


@pytest.mark.parametrize(("bucket", "reason"), [(Overwriting, "ignores conditional writes"), (Losing, "does not keep what is written")])
def test_a_bucket_that_breaks_its_word_is_refused(bucket, reason, tmp_path):
    with pytest.raises(UsageError, match=reason) as caught:
        prove(bucket(tmp_path))
    assert str(tmp_path) in caught.value.what
    assert caught.value.mend


@pytest.mark.parametrize("place", ["ftp://host/folder", "http://host/x", "s4://bucket"])
def test_another_scheme_is_refused(place):
    with pytest.raises(UsageError, match="Towpath knows the schemes s3, gs, az"):
        bucket_at(place)


def test_a_url_that_names_no_bucket_is_refused():
    with pytest.raises(UsageError, match="cannot be opened"):
        bucket_at("s3://")


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Unavailable, match="file"):
        bucket_at(str(tmp_path / "file")).put("key", b"")


def test_what_died_half_way_in_a_folder_is_swept_after_a_day(tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "left").write_bytes(b"half")
    FolderBucket(tmp_path).put("key", b"")
    assert (tmp_path / "tmp" / "left").exists(), "another process may still write it"
    monkeypatch.setattr("towpath.store.remote.folder.STALE_S", -1.0)
    FolderBucket(tmp_path).put("key", b"")
    assert not (tmp_path / "tmp" / "left").exists()


def test_a_server_that_is_not_there_is_told_after_a_bounded_time(monkeypatch):
    for name, value in {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(name, value)
    bucket = CloudBucket("s3://bucket/prefix", patience_s=0.5)
    calls = itertools.chain.from_iterable(
        [[lambda: bucket.put("key", b"")], [lambda: bucket.get("key")], [lambda: list(bucket.list("key"))], [lambda: bucket.size("key")]]
    )
    for call in calls:
        with pytest.raises(Unavailable, match="s3://bucket/prefix did not answer") as caught:
            call()
        assert "the same command goes on" in caught.value.mend
