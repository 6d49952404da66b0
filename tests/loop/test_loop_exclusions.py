"""Excluded rows are in no later run: not in its checks, not in what steps get, not in what is trained on."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.loop import little

from towpath import events as ev
from towpath.events import Outcome, RunEnded, SnapshotTaken, StepExecuted


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return little.make(tmp_path / "little")


@pytest.fixture
def again(tmp_path: Path) -> Path:
    """Its first run made version 1."""
    return little.prepared(tmp_path / "little", little.ran)


def exclude(root: Path, where: str, number: int = 1) -> None:
    little.world(root).tell(ev.RowsExcluded(exclusion=number, dataset="rides", where=where, by="ann", because="broken"))


def lift(root: Path, number: int = 1) -> None:
    little.world(root).tell(ev.ExclusionLifted(exclusion=number, by="ann", because="mended"))


def last(root: Path, kind: type) -> ev.AnyEvent:
    return little.events(root, kind)[-1]


def test_a_run_after_an_exclusion_is_another_run_and_after_its_end_the_first_again(again: Path) -> None:
    first, step = last(again, SnapshotTaken), last(again, StepExecuted)
    exclude(again, "hour < 3")
    ended = little.ran(again)
    assert ended.outcome is not Outcome.UNCHANGED
    left, stepped = last(again, SnapshotTaken), last(again, StepExecuted)
    frame = pl.concat([little.rides(1), little.rides(2)])
    assert left.excluded == frame.filter(pl.col("hour") < 3).height > 100
    assert (left.digest, left.rows) == (first.digest, first.rows)
    assert left.content != first.content
    assert (stepped.reused, stepped.content == step.content) == (False, False)
    lift(again)
    assert little.ran(again).outcome is Outcome.UNCHANGED
    assert last(again, SnapshotTaken) == ev.SnapshotTaken(**{f: getattr(first, f) for f in first.__struct_fields__ if f != "run"}, run=3)


def test_an_exclusion_that_touches_no_row_changes_nothing(again: Path) -> None:
    exclude(again, "hour > 99")
    assert little.ran(again).outcome is Outcome.UNCHANGED


def test_rows_that_stopped_a_run_stop_it_no_longer(root: Path) -> None:
    little.deliver(root, 2, little.rides(2).with_columns(distance=pl.when(pl.col("hour") == 3).then(-1.0).otherwise("distance")))
    assert little.ran(root).outcome is Outcome.STOPPED
    exclude(root, "distance < 0")
    assert little.ran(root).outcome is Outcome.REGISTERED


def test_a_file_that_is_excluded_as_a_whole_is_no_empty_file(root: Path) -> None:
    little.deliver(root, 3, little.rides(3).with_columns(distance=pl.lit(-1.0)))
    exclude(root, "distance < 0")
    ended = little.ran(root)
    assert ended.outcome is Outcome.REGISTERED
    assert (last(root, SnapshotTaken).excluded, last(root, SnapshotTaken).files) == (1000, 3)


def test_when_every_row_is_excluded_the_checks_say_so(root: Path) -> None:
    exclude(root, "hour >= 0")
    ended = little.ran(root)
    assert (ended.outcome, "no rows" in ended.because) == (Outcome.STOPPED, True), ended.because


def test_an_exclusion_of_a_column_that_is_gone_touches_nothing(root: Path) -> None:
    exclude(root, "gate = 'A'")
    assert little.ran(root).outcome is Outcome.REGISTERED
    assert last(root, SnapshotTaken).excluded == 0


def test_an_exclusion_that_cannot_be_asked_any_more_is_named_with_the_mend(root: Path) -> None:
    exclude(root, "zone > 3")
    ended: RunEnded = little.ran(root)
    assert ended.outcome is Outcome.FAILED
    assert "exclusion 1 of rides" in ended.because
    assert "--lift 1" in ended.because
