"""The one join: who is due, with which label."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from towpath.journal import Label, Scored
from towpath.journal.join import matured
from towpath.journal.port import frame_of_labels, frame_of_predictions
from towpath.testing.journals import START, scored

DAY = timedelta(days=1)


def at(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def joined(predictions: list[Scored], labels: list[Label], until: timedelta, **how: object) -> pl.DataFrame:
    return matured(frame_of_predictions(predictions, 0), frame_of_labels(labels, 0), START + until, at(10), **how)  # type: ignore[arg-type]


def label(number: int, minutes: float, value: bool) -> Label:
    return Label(id=f"p{number}", at=START + at(minutes), value=value)


def test_a_row_is_due_when_its_own_time_has_passed_however_early_its_label_came() -> None:
    rows = [scored(0), scored(1), scored(2)]
    labels = [label(0, 1, True), label(1, 1, False), label(2, 2, True)]
    assert joined(rows, labels, at(11))["id"].to_list() == ["p0", "p1"]
    assert joined(rows, labels, at(9)).height == 0


def test_the_latest_label_counts_and_none_that_came_after_the_moment() -> None:
    labels = [label(0, 5, True), label(0, 8, False), label(0, 20, True), label(0, 6, True)]
    assert joined([scored(0)], labels, at(10))["label"].to_list() == ["false"]
    assert joined([scored(0)], labels, at(20))["label"].to_list() == ["true"]


def test_of_labels_at_the_same_time_the_last_to_arrive_counts() -> None:
    assert joined([scored(0)], [label(0, 5, True), label(0, 5, False)], at(10))["label"].to_list() == ["false"]


def test_due_rows_without_a_label_are_left_out_or_filled() -> None:
    rows, labels = [scored(0), scored(1)], [label(1, 5, True)]
    assert joined(rows, labels, at(20))["id"].to_list() == ["p1"]
    filled = joined(rows, labels, at(20), missing=False)
    assert filled.select("id", "label").rows() == [("p0", "false"), ("p1", "true")]
    assert filled["labelled_at"].null_count() == 1


def test_rows_come_in_the_order_they_were_assigned_in_and_a_repeated_id_counts_once() -> None:
    rows = [scored(3), scored(1), scored(1, prediction="false"), scored(2), scored(1, role="shadow", arm="challenger")]
    labels = [label(n, 5, True) for n in (1, 2, 3)]
    answers = joined(rows, labels, at(60))
    assert answers["id"].to_list() == ["p1", "p2", "p3"]
    assert answers["prediction"].to_list()[0] == "true"
    assert joined(rows, labels, at(60), role="shadow")["arm"].to_list() == ["challenger"]


@given(
    st.lists(st.integers(0, 40), unique=True, max_size=30),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 80), st.booleans()), max_size=40),
    st.integers(0, 90),
)
def test_it_says_what_a_plain_loop_says(numbers: list[int], told: list[tuple[int, int, bool]], until: int) -> None:
    rows, labels = [scored(n) for n in numbers], [label(*one) for one in told]
    latest: dict[int, tuple[int, bool]] = {}
    for number, minute, value in told:
        if minute <= until and minute >= latest.get(number, (-1, False))[0]:
            latest[number] = (minute, value)
    expected = [(f"p{n}", str(latest[n][1]).lower()) for n in sorted(numbers) if n + 10 <= until and n in latest]
    assert joined(rows, labels, at(until)).select("id", "label").rows() == expected
