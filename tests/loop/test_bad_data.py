"""A bad delivery stops the run with a named check, file, column and count; what serves goes on serving; mended, all goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from tests.loop import little

from towpath.cli import main
from towpath.events import ChecksJudged, Outcome, RunEnded
from towpath.verdict import Answer

FILE = "2024-03.parquet"


def spoilt(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[Path], None]:
    """A third month that arrives changed."""
    return lambda root: (little.deliver(root, 3, change(little.rides(3))), None)[1]


def truncated(root: Path) -> None:
    file = little.deliver(root, 3)
    file.write_bytes(file.read_bytes()[:2000])


def empty(root: Path) -> None:
    little.deliver(root, 3).write_bytes(b"")


METRES = pl.when(pl.col("distance") < 5).then(-pl.col("distance")).otherwise("distance").alias("distance")
SPOILT: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "a column missing": (spoilt(lambda rides: rides.drop("hour")), ("rides: columns", "no column hour")),
    "negative distances": (
        spoilt(lambda rides: rides.with_columns(METRES)),
        ("rides.distance: number", f"{little.rides(3).filter(pl.col('distance') < 5).height} of 1,000 rows", "such as -"),
    ),
    "a changed type": (
        spoilt(lambda rides: rides.with_columns(pl.col("hour").cast(pl.String))),
        ("rides: types", "column hour is string in 1,000 rows", "such as '"),
    ),
    "no rows": (spoilt(lambda rides: rides.head(0)), ("no file without rows", "no rows")),
    "an empty file": (empty, ("every file is readable", "cannot be read")),
    "a truncated file": (truncated, ("every file is readable", "cannot be read")),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILT.values(), ids=SPOILT.keys())
def test_a_bad_month_stops_the_run_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], None], words: tuple[str, ...]
) -> None:
    root = little.prepared(tmp_path / "little", little.live)
    spoil(root)
    assert main(["run", "--project", str(root)]) == 1
    said = capsys.readouterr().out
    assert "run 2 was stopped" in said
    assert FILE in said
    assert all(word in said for word in words), said
    state = little.world(root).state()
    assert state.live.champion("production") == 1
    assert state.runs.all[2].outcome is Outcome.STOPPED
    judged = [event for event in little.events(root, ChecksJudged) if isinstance(event, ChecksJudged) and event.run == 2]
    assert any(verdict.answer is Answer.FAIL and FILE in verdict.because for verdict in judged[0].verdicts)
    assert main(["verify", "ledger", "--project", str(root)]) == 0
    little.deliver(root, 3)
    ended = little.ran(root)
    assert (ended.outcome, ended.version) == (Outcome.REGISTERED, 2), ended.because


def test_no_file_at_all_is_told_with_the_place_that_was_looked_in(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", months=0)
    ended = little.ran(root)
    assert ended.outcome is Outcome.FAILED
    assert "data/*.parquet" in ended.because


def test_a_label_that_nobody_has_yet_is_told(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", months=0)
    little.deliver(root, 1, little.rides(1).with_columns(late=pl.lit(None, pl.Boolean)))
    [ended] = [little.ran(root)]
    assert isinstance(ended, RunEnded)
    assert ended.outcome is Outcome.FAILED
    assert "label" in ended.because
