"""What every store promises."""

# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from towpath.digest import Digest, of_bytes
from towpath.errors import Broken, UnknownName
from towpath.store import Execution, Store

OpenAgain = Callable[[], Store]
Damage = Callable[[Digest], None]


def execution(fingerprint: str, output: Digest, *, seconds: float = 1.5) -> Execution:
    """An execution of a step ``rows`` whose fingerprint is the digest of some text."""
    return Execution(fingerprint=of_bytes(fingerprint.encode()), step="rows", output=output, content=output, seconds=seconds)


class StoreContract:
    """Subclass it and give two fixtures.

    ``open_again``: each call opens the same store once more, empty at first.
    ``damage``: changes one bit of the stored bytes of a digest, behind the store's back.
    """

    @pytest.fixture
    def open_again(self) -> OpenAgain:
        raise NotImplementedError("a subclass gives the fixture `open_again`")

    @pytest.fixture
    def damage(self) -> Damage:
        raise NotImplementedError("a subclass gives the fixture `damage`")

    @pytest.mark.parametrize("data", [b"", b"\0", b"flights" * 100_000], ids=["empty", "one byte", "large"])
    def test_bytes_come_back_under_their_digest(self, open_again: OpenAgain, data: bytes) -> None:
        digest = open_again().put(data)
        assert digest == of_bytes(data)
        assert open_again().get(digest) == data
        assert open_again().has(digest)

    def test_putting_twice_is_a_success(self, open_again: OpenAgain) -> None:
        assert open_again().put(b"same") == open_again().put(b"same")

    def test_a_file_has_the_digest_of_its_bytes(self, open_again: OpenAgain, tmp_path: Path) -> None:
        file = tmp_path / "a file"
        file.write_bytes(b"rows" * 1000)
        digest = open_again().put_file(file)
        assert digest == of_bytes(b"rows" * 1000)
        assert open_again().get(digest) == b"rows" * 1000
        assert open_again().put_file(file) == digest

    def test_a_stored_file_is_a_copy(self, open_again: OpenAgain, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.write_bytes(b"before")
        digest = open_again().put_file(file)
        file.write_bytes(b"after!")
        assert open_again().get(digest) == b"before"

    @pytest.mark.parametrize("size", [0, 10, 3 << 20])
    def test_bytes_are_written_to_a_new_file(self, open_again: OpenAgain, tmp_path: Path, size: int) -> None:
        digest = open_again().put(b"x" * size)
        open_again().get_file(digest, tmp_path / "new")
        assert (tmp_path / "new").read_bytes() == b"x" * size
        with pytest.raises(OSError, match="new"):
            open_again().get_file(digest, tmp_path / "new")

    def test_nothing_is_left_of_a_file_whose_object_is_unknown_or_corrupt(
        self, open_again: OpenAgain, damage: Damage, tmp_path: Path
    ) -> None:
        corrupted = open_again().put(b"good bytes")
        damage(corrupted)
        for digest, fault in ((of_bytes(b"never stored"), UnknownName), (corrupted, Broken)):
            with pytest.raises(fault, match=digest):
                open_again().get_file(digest, tmp_path / "new")
            assert not (tmp_path / "new").exists()

    def test_what_is_missing_of_many_is_told_at_once(self, open_again: OpenAgain) -> None:
        store = open_again()
        kept, never = {store.put(bytes([n]) * n) for n in range(20)}, {of_bytes(b"never stored"), of_bytes(b"nor this")}
        assert open_again().missing(kept | never) == never
        assert open_again().missing(iter(kept)) == open_again().missing([]) == set()

    def test_the_size_of_an_object_is_told(self, open_again: OpenAgain) -> None:
        store = open_again()
        sizes = {store.put(b"x" * size): size for size in (0, 10, 3 << 20)}
        store.sync()
        assert {digest: open_again().size(digest) for digest in sizes} == sizes

    def test_an_unknown_digest_is_named(self, open_again: OpenAgain) -> None:
        digest = of_bytes(b"never stored")
        assert not open_again().has(digest)
        with pytest.raises(UnknownName, match=digest):
            open_again().size(digest)
        with pytest.raises(UnknownName, match=digest):
            open_again().get(digest)

    def test_a_corrupt_object_is_named_with_what_it_is_now(self, open_again: OpenAgain, damage: Damage) -> None:
        store = open_again()
        digest = store.put(b"good bytes")
        damage(digest)
        with pytest.raises(Broken, match=digest) as caught:
            open_again().get(digest)
        assert "corrupt" in caught.value.what
        assert caught.value.mend

    def test_damage_to_one_object_leaves_the_others(self, open_again: OpenAgain, damage: Damage) -> None:
        store = open_again()
        bad, good = store.put(b"bad"), store.put(b"good")
        damage(bad)
        assert store.get(good) == b"good"

    def test_sync_keeps_everything(self, open_again: OpenAgain) -> None:
        store = open_again()
        digests = [store.put(bytes([n])) for n in range(5)]
        store.sync()
        store.sync()  # with nothing new it is a success too
        assert [open_again().get(digest) for digest in digests] == [bytes([n]) for n in range(5)]

    def test_an_execution_is_recalled_by_its_fingerprint(self, open_again: OpenAgain) -> None:
        store = open_again()
        ran = execution("one", store.put(b"output"))
        assert store.recall(ran.fingerprint) is None
        store.remember(ran)
        assert open_again().recall(ran.fingerprint) == ran
        assert open_again().recall(of_bytes(b"two")) is None

    def test_a_later_execution_replaces_the_earlier(self, open_again: OpenAgain) -> None:
        store = open_again()
        output = store.put(b"output")
        store.remember(execution("one", output, seconds=1))
        store.remember(execution("one", output, seconds=2))
        assert open_again().recall(of_bytes(b"one")) == execution("one", output, seconds=2)

    def test_an_execution_whose_output_is_gone_is_not_recalled(self, open_again: OpenAgain) -> None:
        store = open_again()
        ran = execution("one", of_bytes(b"output that is not there"))
        store.remember(ran)
        assert store.recall(ran.fingerprint) is None

    def test_threads_that_put_the_same_bytes_agree(self, open_again: OpenAgain) -> None:
        data = b"the same" * 10_000
        with ThreadPoolExecutor(8) as pool:
            digests = set(pool.map(lambda _: open_again().put(data), range(16)))
        assert digests == {of_bytes(data)}
        assert open_again().get(of_bytes(data)) == data
