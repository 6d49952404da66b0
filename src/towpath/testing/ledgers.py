"""What every ledger promises."""

# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from towpath.errors import Conflict, UsageError
from towpath.events import QuarantineLifted, StageEntered, TriggerRefused
from towpath.ledger import Entry, Head, Ledger, verify
from towpath.ledger.port import GENESIS

OpenAgain = Callable[[], Ledger]
_T = TypeVar("_T")

_START = datetime(2013, 1, 1, tzinfo=UTC)


def fact(number: int, *, id: str | None = None) -> Entry:
    """A small fact that can be told from others by its number; ``at`` is that many seconds into 2013."""
    event = TriggerRefused(trigger="commit", cause=f"cause {number}", key=f"key:{number}", because="a test")
    return Entry(id=id or f"fact-{number}", at=_START + timedelta(seconds=number), machine=float(number), event=event)


def numbers(ledger: Ledger, start: int = 0) -> list[int]:
    """The numbers of the facts in ``ledger`` after position ``start``, in its order."""
    return [int(record.entry.machine) for record in ledger.read(start)]


class LedgerContract:
    """Subclass it and give a fixture ``open_again``: each call opens the same ledger once more, empty at first.

    class TestMyLedger(LedgerContract):
        @pytest.fixture
        def open_again(self, tmp_path):
            return lambda: MyLedger(tmp_path / "ledger")
    """

    @pytest.fixture
    def open_again(self) -> OpenAgain:
        raise NotImplementedError("a subclass gives the fixture `open_again`")

    def test_a_new_ledger_is_empty(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        assert list(ledger.read()) == []
        assert ledger.append([]) == Head(0, GENESIS)

    def test_facts_are_kept_in_order(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        ledger.append([fact(1), fact(2)])
        ledger.append([fact(3)])
        assert numbers(ledger) == [1, 2, 3]
        assert [record.position for record in ledger.read()] == [1, 2, 3]

    def test_an_entry_comes_back_as_it_went_in(self, open_again: OpenAgain) -> None:
        told = Entry(id="é", at=_START, machine=0.1, event=QuarantineLifted(digest=GENESIS, by='Zoë\n"', because="10 % ∕ 1e-7"))
        open_again().append([told])
        assert [record.entry for record in open_again().read()] == [told]

    def test_reading_starts_behind_a_position(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        ledger.append([fact(n) for n in range(1, 6)])
        assert numbers(ledger, 0) == [1, 2, 3, 4, 5]
        assert numbers(ledger, 3) == [4, 5]
        assert numbers(ledger, 5) == numbers(ledger, 99) == []

    def test_all_openers_see_one_order(self, open_again: OpenAgain) -> None:
        one, other = open_again(), open_again()
        one.append([fact(1)])
        other.append([fact(2)])
        one.append([fact(3)])
        assert list(one.read()) == list(other.read())
        assert numbers(open_again()) == [1, 2, 3]

    def test_the_head_is_where_the_ledger_ends(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        head = ledger.append([fact(1), fact(2)])
        last = list(ledger.read())[-1]
        assert head == Head(last.position, last.hash)
        assert ledger.append([]) == head

    def test_the_chain_verifies(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        heads = [ledger.append([fact(n), fact(n + 100)]) for n in range(5)]
        checked = verify(ledger.read(), heads)
        assert checked.faults == ()
        assert checked.head == heads[-1]

    def test_a_fact_told_twice_is_kept_once(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        head = ledger.append([fact(1, id="same")])
        assert ledger.append([fact(2, id="same")]) == head
        assert numbers(ledger) == [1]

    def test_a_fact_twice_in_one_append_is_kept_once(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        assert ledger.append([fact(1, id="same"), fact(2, id="same"), fact(3)]).position == 2
        assert numbers(ledger) == [1, 3]

    def test_known_facts_do_not_hold_back_new_ones(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        ledger.append([fact(1)])
        ledger.append([fact(1), fact(2)])
        assert numbers(ledger) == [1, 2]
        assert verify(ledger.read()).faults == ()

    def test_a_decision_at_the_head_is_taken(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        ledger.append([fact(1)], expected=0)
        assert ledger.append([fact(2)], expected=1).position == 2

    def test_the_second_of_two_deciders_is_told(self, open_again: OpenAgain) -> None:
        one, other = open_again(), open_again()
        one.append([fact(1)], expected=0)
        with pytest.raises(Conflict) as caught:
            other.append([fact(2)], expected=0)
        assert "position 1" in caught.value.what
        assert "read" in caught.value.mend
        assert numbers(other) == [1]

    @pytest.mark.parametrize("expected", [0, 2])
    def test_a_conflict_adds_nothing(self, open_again: OpenAgain, expected: int) -> None:
        ledger = open_again()
        ledger.append([fact(1)])
        with pytest.raises(Conflict):
            ledger.append([fact(2), fact(3)], expected=expected)
        assert numbers(ledger) == [1]

    def test_a_conflict_is_told_of_known_facts_too(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        ledger.append([fact(1), fact(2)])
        with pytest.raises(Conflict):
            ledger.append([fact(1)], expected=1)

    def test_an_entry_that_would_not_read_back_is_refused(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        event = StageEntered(release=1, stage=0, share=0.1, because="", evidence={"loss": float("nan")})
        with pytest.raises(UsageError, match="StageEntered cannot be recorded"):
            ledger.append([fact(1), Entry(id="nan", at=_START, machine=0.0, event=event)])
        assert list(ledger.read()) == []

    def test_a_reader_is_not_disturbed_by_later_appends(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        ledger.append([fact(1), fact(2), fact(3)])
        reading = ledger.read()
        first = next(reading)
        open_again().append([fact(4)])
        assert [first.position, *(record.position for record in reading)][:3] == [1, 2, 3]

    def test_a_writer_behind_the_others_passes_over_what_they_told(self, open_again: OpenAgain) -> None:
        one, other = open_again(), open_again()
        one.append([fact(1)])
        other.append([fact(2)])
        one.append([fact(3), fact(4)])
        assert other.append([fact(4), fact(5), fact(3)]).position == 5
        assert one.append([fact(5)]) == other.append([])
        assert numbers(open_again()) == [1, 2, 3, 4, 5]

    def test_a_decision_may_be_made_at_a_position_that_another_read(self, open_again: OpenAgain) -> None:
        one, other = open_again(), open_again()
        other.append([fact(1)])
        head = one.append([fact(2), fact(3)])
        assert other.append([fact(4)], expected=head.position).position == 4
        with pytest.raises(Conflict, match="position 4"):
            one.append([fact(5)], expected=head.position)
        with pytest.raises(Conflict, match="position 4"):
            other.append([fact(5)], expected=9)
        one.append([fact(6)])
        with pytest.raises(Conflict, match="position 5"):
            other.append([fact(7)], expected=1)

    def test_the_end_shows_to_those_who_read_it_before(self, open_again: OpenAgain) -> None:
        one, other = open_again(), open_again()
        seen: list[int] = []
        for n in range(1, 6):
            (one, other)[n % 2].append([fact(10 * n), fact(10 * n + 1)])
            seen += numbers(one, len(seen))
        assert seen == numbers(open_again()) == [10 * n + k for n in range(1, 6) for k in (0, 1)]

    def test_thousands_at_once_are_one_append(self, open_again: OpenAgain) -> None:
        ledger = open_again()
        assert ledger.append([fact(n) for n in range(6000)]).position == 6000
        ledger.append([fact(6000)])
        assert [record.position for record in open_again().read(5998)] == [5999, 6000, 6001]
        assert [record.position for record in ledger.read()] == list(range(1, 6002))

    def test_a_long_text_comes_back(self, open_again: OpenAgain) -> None:
        event = QuarantineLifted(digest=GENESIS, by="a test", because="€" * 700_000)
        open_again().append([Entry(id="long", at=_START, machine=0.0, event=event)])
        assert [record.entry.event for record in open_again().read()] == [event]

    def test_a_fact_that_many_tell_at_once_is_kept_once(self, open_again: OpenAgain) -> None:
        positions = _at_once(lambda _: open_again().append([fact(1)]).position, range(8))
        assert positions == [1] * 8
        assert numbers(open_again()) == [1]

    def test_threads_that_append_at_once_lose_nothing(self, open_again: OpenAgain) -> None:
        def write(writer: int) -> None:
            ledger = open_again()
            for number in range(5):
                ledger.append([fact(100 * writer + number)])

        _at_once(write, range(4))
        found = numbers(open_again())
        assert sorted(found) == [100 * writer + number for writer in range(4) for number in range(5)]
        assert [n for n in found if n < 100] == [0, 1, 2, 3, 4]  # each writer's own order is kept
        assert verify(open_again().read()).faults == ()

    def test_of_deciders_at_once_exactly_one_wins(self, open_again: OpenAgain) -> None:
        def decide(number: int) -> bool:
            try:
                open_again().append([fact(number)], expected=0)
            except Conflict:
                return False
            return True

        assert sum(_at_once(decide, range(8))) == 1
        assert len(numbers(open_again())) == 1


def _at_once(work: Callable[[int], _T], on: Sequence[int]) -> list[_T]:
    with ThreadPoolExecutor(len(on)) as pool:
        return list(pool.map(work, on))
