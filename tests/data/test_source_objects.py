"""Prefixes of buckets as sources, on real servers: nothing whose ETag is known is fetched again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import obstore
import polars as pl
import pytest
from obstore.store import ObjectStore, from_url
from polars.testing import assert_frame_equal
from tests.servers import S3

from towpath.data.add import add
from towpath.data.compare import compare, here
from towpath.data.index import Index
from towpath.data.read import rows_of
from towpath.data.snapshot import load, see, take
from towpath.data.sources.objects import Objects
from towpath.data.walk import NoFiles
from towpath.errors import Unavailable, UsageError
from towpath.project import Dataset
from towpath.store.memory import MemoryStore

pytestmark = pytest.mark.parts


@pytest.fixture(params=["moto", "seaweedfs"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> S3:
    server: S3 = request.getfixturevalue(request.param)
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def url(server: S3) -> str:
    return server.new()


@pytest.fixture
def bucket(server: S3, url: str) -> ObjectStore:
    """The prefix, to write to."""
    return from_url(url, client_options={"allow_http": True})


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The keys that were fetched, in order."""
    keys: list[str] = []
    real = obstore.get

    def get(bucket, key, **options):
        keys.append(key.rpartition("/")[2])
        return real(bucket, key, **options)

    monkeypatch.setattr(obstore, "get", get)
    return keys


def parquet(*values: int) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"a": values}).write_parquet(buffer)
    return buffer.getvalue()


def test_a_prefix_is_its_objects_and_each_is_fetched_once(tmp_path: Path, url: str, bucket: ObjectStore, fetched: list[str]) -> None:
    for month in (1, 2):
        obstore.put(bucket, f"trips/2024/{month}.parquet", parquet(month, month))
    obstore.put(bucket, "trips_of_others/1.parquet", parquet(0))
    dataset, store, index = Dataset(path=f"{url}/trips/"), MemoryStore(), Index(tmp_path / "index")
    first = add("trips", dataset, tmp_path, store, index, count=rows_of)
    assert (first.snapshot.files, first.snapshot.rows, first.read) == (2, 4, 2)
    assert first.snapshot.size == 2 * len(parquet(1, 1))
    assert_frame_equal(load(store, first.digest), pl.DataFrame({"a": [1, 1, 2, 2]}))
    obstore.put(bucket, "trips/2024/2.parquet", parquet(7))
    again = add("trips", dataset, tmp_path, store, Index(tmp_path / "index"), count=rows_of)
    assert (again.read, again.snapshot.rows) == (1, 3)
    assert fetched == ["1.parquet", "2.parquet", "2.parquet"]
    seen = see(dataset, tmp_path, store, Index(tmp_path / "index"))
    assert take("trips", seen.parts, store, kind=seen.kind, origin=seen.origin).digest == again.digest
    assert len(fetched) == 3


def test_status_names_what_is_new_changed_and_gone(tmp_path: Path, url: str, bucket: ObjectStore) -> None:
    for name in ("a", "b", "c"):
        obstore.put(bucket, f"{name}.bin", name.encode())
    dataset, index = Dataset(path=url), Index(tmp_path / "index")
    before = here(dataset, tmp_path, index)
    obstore.put(bucket, "b.bin", b"changed")
    obstore.delete(bucket, "c.bin")
    obstore.put(bucket, "d/e.bin", b"new")
    standing = compare(here(dataset, tmp_path, index), before)
    assert standing == (["d/e.bin"], ["b.bin"], ["c.bin"])


def test_a_pattern_one_object_and_strange_names(tmp_path: Path, url: str, bucket: ObjectStore) -> None:
    names = ["one.csv", "deep/two.csv", "deep/er/three.csv", "deep/no.txt", "deep/mit Leerzeichen ü#?.csv"]
    for name in names:
        obstore.put(bucket, name, f"a\n{len(name)}\n".encode())

    def found(path: str) -> list[str]:
        return [part.path for part in see(Dataset(path=f"{url}/{path}"), tmp_path, MemoryStore()).parts]

    assert found("*.csv") == ["one.csv"]
    assert found("deep/*.csv") == ["mit Leerzeichen ü#?.csv", "two.csv"]
    assert found("deep/**/*.csv") == ["er/three.csv", "mit Leerzeichen ü#?.csv", "two.csv"]
    assert found("one.csv") == ["one.csv"]
    assert see(Dataset(path=url), tmp_path, MemoryStore()).kind == "files"


def test_nothing_there_is_told_with_the_place(tmp_path: Path, url: str, server: S3) -> None:
    with pytest.raises(NoFiles, match="nothing lies under s3://"):
        see(Dataset(path=f"{url}/nothing/"), tmp_path, MemoryStore())
    with pytest.raises(UsageError, match="no-such-bucket"):
        see(Dataset(path="s3://no-such-bucket/trips/"), tmp_path, MemoryStore())


def test_wrong_credentials_are_told_at_once(tmp_path: Path, seaweedfs: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**seaweedfs.environ, "AWS_SECRET_ACCESS_KEY": "wrong-secret"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="refuses") as caught:
        see(Dataset(path=seaweedfs.new()), tmp_path, MemoryStore())
    assert "AWS_ACCESS_KEY_ID" in caught.value.mend
    assert "wrong-secret" not in str(caught.value)


def test_a_full_disk_here_is_told_as_what_it_is(url: str, bucket: ObjectStore) -> None:
    obstore.put(bucket, "one.bin", b"x" * 1000)
    with pytest.raises(Unavailable, match="/dev/full cannot be written: No space left") as caught:
        Objects(url).fetch("one.bin", Path("/dev/full"))
    assert "TMPDIR" in caught.value.mend
