"""Small files of a bucket are fetched early, and never twice."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from towpath.data.sources.ahead import AT_ONCE, Ahead
from towpath.data.sources.patterns import matches, split


class Bucket:
    """Counts what is asked of it."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes:
        with self._lock:
            self.asked[name] += 1
        return name.encode()


NAMES = [f"{number:03}" for number in range(50)]


def test_files_that_are_asked_for_in_order_come_early_and_once() -> None:
    bucket = Bucket()
    ahead = Ahead(NAMES, bucket.get)
    got = {name: ahead.take(name) for name in NAMES}
    early = {name for name, data in got.items() if data is not None}
    assert all(got[name] == name.encode() for name in early)
    assert early == set(NAMES[2:])
    assert set(bucket.asked.values()) == {1}


def test_several_are_fetched_at_once() -> None:
    gate = threading.Barrier(AT_ONCE, timeout=20)  # nobody gets through before eight are there

    def get(name: str) -> bytes:
        gate.wait()
        return b""

    ahead = Ahead(NAMES[: 2 + AT_ONCE], get)
    assert [ahead.take(name) is not None for name in NAMES[: 2 + AT_ONCE]] == [False, False] + [True] * AT_ONCE


def test_who_asks_for_few_gets_no_more() -> None:
    bucket = Bucket()
    ahead = Ahead(NAMES, bucket.get)
    assert [ahead.take(name) for name in ("010", "020", "nowhere", "000")] == [None] * 4
    assert not bucket.asked


def test_a_fault_shows_where_its_file_is_asked_for() -> None:
    def get(name: str) -> bytes:
        if name == "005":
            raise OSError("gone")
        return name.encode()

    ahead = Ahead(NAMES, get)
    for name in NAMES[:5]:
        ahead.take(name)
    with pytest.raises(OSError, match="gone"):
        ahead.take("005")
    assert ahead.take("006") == b"006"


def test_patterns_are_those_of_paths() -> None:
    names = ["a.csv", "b/a.csv", "b/c/a.csv", "b/[1].csv", "b/x.y"]
    assert [name for name in names if matches(name, "**/a.csv")] == names[:3]
    assert [name for name in names if matches(name, "b/?.y")] == ["b/x.y"]
    assert [name for name in names if matches(name, "b/**")] == names[1:]
    assert not matches("aXcsv", "a.csv")
    assert split("") == ("", "")
    assert split("*.csv") == ("", "*.csv")
