"""What every journal promises. Import ``JournalContract`` as a test class and give a ``journal`` fixture that makes an empty one."""

# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from towpath.errors import Conflict
from towpath.journal.port import LABELS, PREDICTIONS, Batch, Journal, Label, Scored

START = datetime(2013, 4, 1, 12, tzinfo=UTC)


def scored(number: int, **changes: object) -> Scored:
    """A prediction like those of a server: one a minute from ``START``."""
    fields: dict[str, object] = {
        "id": f"p{number}",
        "at": START + timedelta(minutes=number),
        "environment": "production",
        "version": 3,
        "answered_by": 3,
        "latency_s": 0.001,
        "row": '{"carrier":"AA","distance":1089}',
        "prediction": "true",
        "score": 0.25,
    }
    return Scored(**{**fields, **changes})  # type: ignore[arg-type]


def batch(segment: str, start: int, rows: Sequence[Scored]) -> Batch[Scored]:
    """A batch whose offsets count rows."""
    return Batch(segment=segment, start=start, end=start + len(rows), rows=tuple(rows))


class JournalContract:
    """The promises of ``Journal``."""

    def test_an_empty_journal_has_no_rows_and_mark_0(self, journal: Journal) -> None:
        frame, mark = journal.predictions()
        assert (frame.height, mark, frame.schema) == (0, 0, PREDICTIONS)
        frame, mark = journal.labels()
        assert (frame.height, mark, frame.schema) == (0, 0, LABELS)

    def test_rows_come_back_as_they_were_with_positions_from_1(self, journal: Journal) -> None:
        rows = [scored(1, score=None, prediction='"late"'), scored(2, arm="challenger", outcome="timeout", detail="over .25 s")]
        assert journal.append([batch("a", 0, rows)]) == 2
        frame, mark = journal.predictions()
        assert mark == 2
        assert frame["position"].to_list() == [1, 2]
        assert [Scored(**row) for row in frame.drop("position").to_dicts()] == rows

    def test_a_batch_told_twice_is_there_once(self, journal: Journal) -> None:
        told = [batch("a", 0, [scored(1), scored(2)]), batch("b", 0, [scored(3)])]
        assert (journal.append(told), journal.append(told)) == (3, 0)
        assert journal.predictions().frame["id"].to_list() == ["p1", "p2", "p3"]

    def test_of_batches_partly_there_only_the_new_ones_are_appended(self, journal: Journal) -> None:
        journal.append([batch("a", 0, [scored(1)])])
        assert journal.append([batch("a", 0, [scored(1)]), batch("b", 0, [scored(2)])]) == 1
        assert journal.predictions().mark == 2

    @pytest.mark.parametrize("start", [0, 2])
    def test_a_batch_that_overlaps_or_leaves_a_gap_is_refused_with_all_others(self, journal: Journal, start: int) -> None:
        journal.append([batch("a", 0, [scored(1)])])
        with pytest.raises(Conflict, match="up to 1"):
            journal.append([batch("b", 0, [scored(9)]), batch("a", start, [scored(2), scored(3)])])
        assert journal.predictions().frame["id"].to_list() == ["p1"]
        assert journal.appended("b") == 0

    def test_each_segment_s_offset_is_known(self, journal: Journal) -> None:
        journal.append([batch("a", 0, [scored(1), scored(2)])])
        journal.append([batch("a", 2, [scored(3)]), batch("b", 0, [scored(4)])])
        assert [journal.appended(name) for name in ("a", "b", "never")] == [3, 1, 0]
        assert journal.labelled("a") == 0

    def test_reading_goes_on_from_a_mark(self, journal: Journal) -> None:
        mark, seen = 0, []
        for number in range(0, 120, 2):  # more commits than lie between two tidyings of any adapter shipped here
            journal.append([batch("a", number, [scored(number), scored(number + 1)])])
            if number % 6 == 0:
                frame, mark = journal.predictions(mark)
                seen += frame["id"].to_list()
        frame, mark = journal.predictions(mark)
        assert [*seen, *frame["id"].to_list()] == [f"p{number}" for number in range(120)]
        assert mark == journal.predictions(mark).mark == 120
        assert journal.predictions(mark).frame.height == 0
        assert journal.predictions(117).frame["position"].to_list() == [118, 119, 120]

    def test_rows_of_several_days_keep_their_order(self, journal: Journal) -> None:
        days = [scored(n, at=START + timedelta(days=day)) for n, day in enumerate([3, 0, 2, 0, 1])]
        journal.append([batch("a", 0, days)])
        assert journal.predictions().frame["id"].to_list() == ["p0", "p1", "p2", "p3", "p4"]

    def test_labels_of_any_kind_come_back_as_json(self, journal: Journal) -> None:
        values: list[str | float | bool | None] = [True, 3, 2.5, "late", None]
        rows = tuple(Label(id=f"p{n}", at=START, value=value) for n, value in enumerate(values))
        told = Batch(segment="l", start=0, end=5, rows=rows)
        assert (journal.label([told]), journal.label([told])) == (5, 0)
        frame, mark = journal.labels()
        assert (frame["value"].to_list(), mark, journal.labelled("l")) == (["true", "3", "2.5", '"late"', "null"], 5, 5)

    def test_what_is_forgotten_is_gone_with_its_labels_and_the_rest_keeps_its_place(self, journal: Journal) -> None:
        told = [batch("a", 0, [scored(n) for n in range(5)])]
        labels = [Batch(segment="l", start=0, end=2, rows=tuple(Label(id=f"p{n}", at=START, value=True) for n in (1, 2)))]
        journal.append(told)
        journal.label(labels)
        assert journal.forget(["p1", "p3", "never"]) == 2
        assert journal.forget(["p1"]) == 0
        assert journal.predictions().frame.select("position", "id").rows() == [(1, "p0"), (3, "p2"), (5, "p4")]
        assert journal.labels().frame["id"].to_list() == ["p2"]
        assert (journal.append(told), journal.label(labels)) == (0, 0)
        journal.append([batch("a", 5, [scored(5)])])
        assert (journal.predictions(after=5).frame["id"].to_list(), journal.predictions().mark) == (["p5"], 6)
