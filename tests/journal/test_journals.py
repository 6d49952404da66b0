"""Both journals keep the contract; Delta's also keeps it across instances and readers."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from towpath.errors import Broken
from towpath.journal import Journal
from towpath.journal.delta import TIDY_EVERY, DeltaJournal
from towpath.journal.memory import MemoryJournal
from towpath.testing.journals import JournalContract, batch, scored


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    def journal(self) -> Journal:
        return MemoryJournal()


class TestDeltaJournal(JournalContract):
    @pytest.fixture
    def journal(self, tmp_path: Path) -> Journal:
        return DeltaJournal(tmp_path / "journal")


def test_what_one_instance_appended_another_reads_and_goes_on_from(tmp_path: Path) -> None:
    writer, reader = DeltaJournal(tmp_path), DeltaJournal(tmp_path)
    writer.append([batch("a", 0, [scored(1)])])
    assert reader.predictions().frame["id"].to_list() == ["p1"]
    again = DeltaJournal(tmp_path)
    assert again.append([batch("a", 0, [scored(1)])]) == 0
    assert again.append([batch("a", 1, [scored(2)])]) == 1
    assert reader.predictions(1).frame["id"].to_list() == ["p2"]


def test_small_files_are_merged_and_the_rows_stay(tmp_path: Path) -> None:
    journal = DeltaJournal(tmp_path)
    for number in range(TIDY_EVERY + 5):
        journal.append([batch("a", number, [scored(number)])])
    files = pl.DataFrame(journal._predictions._table.get_add_actions(flatten=True)).height
    assert files < 10
    assert journal.predictions().frame["id"].to_list() == [f"p{n}" for n in range(TIDY_EVERY + 5)]


def test_any_engine_reads_the_tables(tmp_path: Path) -> None:
    DeltaJournal(tmp_path).append([batch("a", 0, [scored(1), scored(2)])])
    assert pl.read_delta(str(tmp_path / "predictions")).sort("position")["id"].to_list() == ["p1", "p2"]


def test_a_broken_log_is_an_error_that_names_the_table(tmp_path: Path) -> None:
    DeltaJournal(tmp_path).append([batch("a", 0, [scored(1)])])
    (tmp_path / "predictions/_delta_log/00000000000000000001.json").write_text("{torn")
    with pytest.raises(Broken, match="predictions"):
        DeltaJournal(tmp_path)
