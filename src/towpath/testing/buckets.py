"""What every bucket promises."""

# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from towpath.store.remote import Bucket, prove

OpenBucket = Callable[[], Bucket]


class BucketContract:
    """Subclass it and give the fixture ``open_again``: each call opens the same bucket once more, empty at first."""

    @pytest.fixture
    def open_again(self) -> OpenBucket:
        raise NotImplementedError("a subclass gives the fixture `open_again`")

    @pytest.mark.parametrize("data", [b"", b"\0", b"flights" * 1_000_000], ids=["empty", "one byte", "large"])
    def test_bytes_come_back_under_their_key(self, open_again: OpenBucket, data: bytes) -> None:
        assert open_again().put("packs/ab/one", data)
        assert open_again().get("packs/ab/one") == data
        assert open_again().size("packs/ab/one") == len(data)

    def test_a_range_is_what_lies_there(self, open_again: OpenBucket) -> None:
        bucket = open_again()
        bucket.put("key", b"0123456789")
        assert bucket.get("key", 3, 5) == b"34"
        assert bucket.get("key", 3) == b"3456789"
        assert bucket.get("key", 8, 100) == b"89"
        assert bucket.get("key", 100, 110) == b""

    def test_of_a_key_that_is_not_there_nothing_comes(self, open_again: OpenBucket) -> None:
        bucket = open_again()
        assert (bucket.get("no/such"), bucket.get("no/such", 1, 2), bucket.size("no/such")) == (None, None, None)
        assert list(bucket.list("no")) == []
        bucket.delete(["no/such", "nor/this"])

    def test_a_later_put_replaces_the_earlier(self, open_again: OpenBucket) -> None:
        open_again().put("key", b"first")
        assert open_again().put("key", b"second, longer")
        assert open_again().get("key") == b"second, longer"

    def test_what_must_be_new_replaces_nothing(self, open_again: OpenBucket) -> None:
        assert open_again().put("key", b"first", new=True)
        assert not open_again().put("key", b"second", new=True)
        assert open_again().get("key") == b"first"

    def test_of_writers_that_race_to_be_first_one_wins(self, open_again: OpenBucket) -> None:
        buckets = [open_again() for _ in range(8)]
        for race in range(5):
            with ThreadPoolExecutor(8) as pool:
                won = list(pool.map(lambda n, race=race: buckets[n].put(f"race/{race}", b"%d" % n, new=True), range(8)))
            assert won.count(True) == 1
            assert open_again().get(f"race/{race}") == b"%d" % won.index(True)

    def test_it_proves_that_it_honours_conditional_writes_and_leaves_nothing(self, open_again: OpenBucket) -> None:
        prove(open_again())
        assert list(open_again().list("probe")) == []

    def test_a_folder_is_listed_with_sizes_and_times(self, open_again: OpenBucket) -> None:
        bucket = open_again()
        for key in ("packs/ab/one", "packs/cd/two", "packs-not", "index/three"):
            bucket.put(key, key.encode())
        found = {stored.key: stored for stored in open_again().list("packs")}
        assert {key: stored.size for key, stored in found.items()} == {"packs/ab/one": 12, "packs/cd/two": 12}
        assert all(abs(stored.at - datetime.now(UTC)) < timedelta(minutes=5) for stored in found.values())

    def test_a_long_listing_is_whole(self, open_again: OpenBucket) -> None:
        bucket = open_again()
        keys = {f"many/{n:04}" for n in range(1100)}  # of S3, one answer holds a thousand
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: bucket.put(key, b""), sorted(keys)))
        assert {stored.key for stored in bucket.list("many")} == keys
        bucket.delete(keys)
        assert list(bucket.list("many")) == []

    def test_what_is_deleted_is_gone(self, open_again: OpenBucket) -> None:
        bucket = open_again()
        bucket.put("a/one", b"1")
        bucket.put("a/two", b"2")
        bucket.delete(["a/one", "a/never"])
        assert open_again().get("a/one") is None
        assert [stored.key for stored in open_again().list("a")] == ["a/two"]
