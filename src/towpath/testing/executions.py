"""What the executions that a team shares promise, over every bucket."""

# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from towpath.digest import of_bytes
from towpath.store import Execution
from towpath.store.remote.batches import Batch, Signed, of_batch
from towpath.store.remote.executions import KEPT, Executions

OpenExecutions = Callable[[], Executions]


def execution(fingerprint: str, output: str = "output") -> Execution:
    """An execution whose digests are those of texts."""
    made = of_bytes(output.encode())
    return Execution(fingerprint=of_bytes(fingerprint.encode()), step="rows", output=made, content=made, seconds=1.0, codec="json")


def batch(*executions: Execution, at: datetime, client: str = "ann") -> Signed:
    """What a client tells, unsigned."""
    return Signed(of_batch(Batch(client=client, host="host", at=at, executions=executions)))


class ExecutionsContract:
    """Subclass it and give the fixture ``open_again``: each call is one more client of the same bucket, empty at first."""

    @pytest.fixture
    def open_again(self) -> OpenExecutions:
        raise NotImplementedError("a subclass gives the fixture `open_again`")

    @pytest.fixture
    def now(self) -> datetime:
        """As the bucket's clock has it, about."""
        return datetime.now(UTC)

    def test_what_one_told_the_others_find(self, open_again: OpenExecutions, now: datetime) -> None:
        one, other = open_again(), open_again()
        other.look()
        one.add(Signed(batch(execution("a"), execution("b"), at=now).data, "signature"))
        assert other.of(of_bytes(b"a")) == []
        other.look()
        (found,) = other.of(of_bytes(b"a"))
        assert (found.execution, found.client, found.host, found.signature) == (execution("a"), "ann", "host", "signature")
        assert other.of(of_bytes(b"c")) == []

    def test_the_oldest_is_the_first(self, open_again: OpenExecutions, now: datetime) -> None:
        for hours in (2, 3, 1):
            open_again().add(batch(execution("a", f"{hours} hours old"), at=now - timedelta(hours=hours)))
        reader = open_again()
        reader.look()
        assert [now - one.at for one in reader.of(of_bytes(b"a"))] == [timedelta(hours=hours) for hours in (3, 2, 1)]

    def test_of_many_who_tell_at_once_none_is_lost(self, open_again: OpenExecutions, now: datetime) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: open_again().add(batch(execution(f"{n}"), at=now)), range(24)))
        reader = open_again()
        reader.look()
        assert all(reader.of(of_bytes(b"%d" % n)) for n in range(24))

    def test_to_tell_it_twice_is_no_second_execution(self, open_again: OpenExecutions, now: datetime) -> None:
        for _ in range(2):
            open_again().add(batch(execution("a"), at=now))
        reader = open_again()
        reader.look()
        assert len(reader.of(of_bytes(b"a"))) == 1

    def test_what_is_old_is_forgotten_and_the_rest_stays(self, open_again: OpenExecutions, now: datetime) -> None:
        for name, age in (("old", KEPT), ("young", KEPT - timedelta(hours=1)), ("ahead of the clock", -timedelta(days=900))):
            open_again().add(batch(execution(name, name), at=now - age))
        planned = open_again().forget(now, dry_run=True)
        forgotten = open_again().forget(now)
        assert (planned.kept, planned.dropped) == (forgotten.kept, forgotten.dropped) == (2, 1)
        assert forgotten.outputs == {execution(name, name).output: "json" for name in ("young", "ahead of the clock")}
        reader = open_again()
        reader.look()
        assert [bool(reader.of(of_bytes(name))) for name in (b"old", b"young", b"ahead of the clock")] == [False, True, True]
        later = open_again().forget(now + KEPT + timedelta(hours=1))
        assert (later.kept, later.dropped) == (0, 2), "who claims the future lives from when the bucket got it"

    def test_many_small_bundles_become_one(self, open_again: OpenExecutions, now: datetime) -> None:
        for n in range(40):
            open_again().add(batch(execution(f"{n}"), at=now))
        slow = open_again()
        slow.look()
        assert open_again().forget(now).kept == 40
        late = open_again()
        late.add(batch(execution("late"), at=now))
        for reader in (slow, late):
            reader.look()
            assert all(len(reader.of(of_bytes(b"%d" % n))) == 1 for n in range(40))
            assert reader.of(of_bytes(b"late"))
        assert len(list(late.bucket.list("executions"))) == 2
