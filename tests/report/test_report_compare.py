"""Runs side by side: what differs first, what is equal in one sentence."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from towpath import events as ev
from towpath.digest import Digest
from towpath.pipeline.runs import Run
from towpath.report.compare import compared, in_words
from towpath.verdict import Answer, Verdict

A, B = Digest("a" * 64), Digest("b" * 64)


def run(number: int, *, auc: float = 0.9, trees: int | None = 200, rides: Digest = A, rows: Digest = A, commit: str = "c" * 40) -> Run:
    return Run(
        number=number,
        trigger="command",
        cause="by hand",
        commit=commit,
        patch=None,
        started=datetime(2024, 6, number, 12, tzinfo=UTC),
        host="h",
        boot="b",
        pid=1,
        lease_s=1.0,
        heard=datetime(2024, 6, number, 12, tzinfo=UTC),
        snapshots={"rides": ev.SnapshotTaken(run=number, dataset="rides", digest=rides, content=rides, rows=1200, files=1)},
        steps=(ev.StepExecuted(run=number, step="rows", fingerprint=A, reused=number > 1, seconds=1.25, content=rows),),
        candidate=A,
        parameters={} if trees is None else {"trees": trees, "rate": 0.1},
        gates=(Verdict(gate="auc >= 0.5", answer=Answer.PASS, because=""),),
        metrics={"candidate": {"auc": auc}},
        standard_errors={"auc": 0.0123},
        outcome=ev.Outcome.REGISTERED,
    )


def test_what_differs_comes_first_and_what_is_equal_is_one_sentence() -> None:
    both = compared(["version 1", "version 2"], [run(1), run(2, auc=0.95, trees=300)])
    assert in_words(both, 140).split("\n") == [
        "                   version 1         version 2",
        "  made by          run 1             run 2",
        "  started          2024-06-01 12:00  2024-06-02 12:00",
        "≠ metric auc       0.9 ±0.012        0.95 ±0.012",
        "≠ parameter trees  200               300",
        "= outcome registered, commit cccccccc; parameter rate 0.1; data rides 1,200 rows aaaaaaaa; step rows aaaaaaaa 1.2 s; "
        "gate auc >= 0.5 pass",
    ]


def test_other_data_are_told_to_be_what_metrics_are_of() -> None:
    both = compared(["run 1", "run 2"], [run(1), run(2, rides=B, rows=B)])
    assert [(row.what, row.name) for row in both.differing] == [("data", "rides"), ("step", "rows")]
    assert both.differing[1].texts == ("aaaaaaaa 1.2 s", "bbbbbbbb reused")
    assert in_words(both, 140).endswith("\nthe data differ: the metrics of each are of test rows of its own")
    assert "made by" not in in_words(both, 140)


def test_a_step_that_was_reused_is_equal_to_one_that_made_the_same() -> None:
    assert compared(["run 1", "run 2"], [run(1), run(2)]).differing == ()


def test_what_one_has_not_is_a_difference() -> None:
    both = compared(["run 1", "run 2"], [run(1), run(2, trees=None)])
    assert [(row.name, row.texts) for row in both.differing] == [("trees", ("200", "-")), ("rate", ("0.1", "-"))]


@given(st.integers(40, 200), st.integers(2, 8))
def test_columns_that_have_no_room_follow_below(width: int, count: int) -> None:
    runs = [run(number, auc=number / 10) for number in range(1, count + 1)]
    text = in_words(compared([f"run {one.number}" for one in runs], runs), width)
    assert max(map(len, text.split("\n"))) <= width
    assert [f"run {one.number}" for one in runs] == [word for line in text.split("\n") if line.startswith(" " * 9) for word in titles(line)]


def titles(line: str) -> list[str]:
    return [title.strip() for title in line.split("  ") if title.strip()]
