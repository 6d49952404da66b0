"""Growth: what is new since a snapshot, from marks and footers alone."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.data.growth import growth, peek
from towpath.data.index import Index
from towpath.data.manifest import files_of
from towpath.data.snapshot import look, take
from towpath.data.sources import known as sources
from towpath.digest import Digest, of_file
from towpath.project import Dataset
from towpath.store.memory import MemoryStore
from towpath.store.trees import FileEntry

DATASET = Dataset(path="*.parquet")
FILES = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.sampled_from("uvwxyz"), st.integers(1, 100)), max_size=6)


def entries(files: dict[str, tuple[str, int]]) -> tuple[FileEntry, ...]:
    return tuple(
        FileEntry(path=f"{path}.csv", digest=Digest(digest), size=rows, rows=rows) for path, (digest, rows) in sorted(files.items())
    )


@given(FILES)
def test_what_was_trained_on_is_not_new(files: dict[str, tuple[str, int]]) -> None:
    assert growth(entries(files), entries(files)).rows_new == 0


@given(FILES, FILES)
def test_never_more_is_new_than_there_is(now: dict[str, tuple[str, int]], before: dict[str, tuple[str, int]]) -> None:
    found = growth(entries(now), entries(before))
    assert 0 <= found.rows_new <= sum(rows for _, rows in now.values())
    assert (found.share > 0) == (found.rows_new > 0)


@pytest.mark.parametrize(
    ("now", "rows_new"),
    [
        ({"a": ("u", 100), "b": ("v", 20)}, 20),  # a new file
        ({"a": ("v", 130)}, 30),  # one that grew
        ({"a": ("v", 100)}, 100),  # one that was mended
        ({"a": ("v", 60)}, 60),  # one that was mended and cut
        ({"b": ("u", 100)}, 0),  # one that was moved
        ({}, 0),  # one that was taken away
        ({"a": ("u", 100), "b": ("v", -1)}, 100),  # one that cannot be read: a run will say why
    ],
)
def test_what_counts_as_new(now: dict[str, tuple[str, int]], rows_new: int) -> None:
    assert growth(entries(now), entries({"a": ("u", 100)})).rows_new == rows_new


def test_without_a_snapshot_everything_is_new() -> None:
    assert growth(entries({"a": ("u", 10)}), None).share == 1.0
    assert growth((), None).share == 0.0


def test_bytes_are_counted_as_large_a_part_of_a_file_as_its_new_rows() -> None:
    before = (FileEntry("a.csv", Digest("u"), 1000, 100),)
    found = growth((FileEntry("a.csv", Digest("v"), 1300, 130), FileEntry("b.csv", Digest("w"), 50, 10)), before)
    assert (found.rows_new, found.size_new) == (40, 350)


def test_of_files_that_are_no_table_the_bytes_are_the_share() -> None:
    before = (FileEntry("1.png", Digest("u"), 300, -1), FileEntry("2.png", Digest("v"), 700, -1))
    found = growth((*before, FileEntry("3.png", Digest("w"), 100, -1)), before)
    assert (found.rows_new, found.size_new, found.share, found.unit) == (1, 100, 0.1, "files")
    assert growth(before, before).share == 0


def test_the_state_names_what_is_there() -> None:
    one, same, other = (growth(entries(files), None).state for files in ({"a": ("u", 1)}, {"a": ("u", 1)}, {"a": ("v", 1)}))
    assert one == same != other


def test_peek_sees_what_look_sees(tmp_path: Path) -> None:
    for name, rows in (("1", 3), ("2", 5)):
        pl.DataFrame({"a": range(rows)}).write_parquet(tmp_path / f"{name}.parquet")
    store = MemoryStore()
    taken = take("d", look(DATASET, tmp_path, store), store)
    assert peek(DATASET, tmp_path, Index(tmp_path / "index.json")) == files_of(store, taken.digest)


def test_nothing_untouched_is_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    really = sources.of_file
    monkeypatch.setattr(sources, "of_file", lambda path: read.append(Path(path).name) or really(path))
    one, two = tmp_path / "1.parquet", tmp_path / "2.parquet"
    for path in (one, two):
        pl.DataFrame({"a": [1]}).write_parquet(path)
    time.sleep(0.08)
    known = Index(tmp_path / "home/index.json")
    peek(DATASET, tmp_path, known)
    peek(DATASET, tmp_path, known)
    assert read == ["1.parquet", "2.parquet"]
    pl.DataFrame({"a": [2]}).write_parquet(two)  # of the same size, within the same second
    found = peek(DATASET, tmp_path, Index(tmp_path / "home/index.json"))
    assert read[2:] == ["2.parquet"]
    assert found[1].digest == really(two)


def test_a_file_just_written_is_not_trusted(tmp_path: Path) -> None:
    path, known = tmp_path / "1.parquet", Index(tmp_path / "index.json")
    for value in range(20):
        pl.DataFrame({"a": [value]}).write_parquet(path)
        assert peek(DATASET, tmp_path, known)[0].digest == of_file(path)


@pytest.mark.parametrize("data", [b"", b"PAR1 no more"])
def test_a_file_that_cannot_be_read_has_no_count(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "1.parquet").write_bytes(data)
    assert peek(DATASET, tmp_path, Index(tmp_path / "index.json"))[0].rows == -1


def test_a_lost_or_torn_index_costs_one_reading(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('{"torn')
    pl.DataFrame({"a": [1, 2]}).write_parquet(tmp_path / "1.parquet")
    assert peek(DATASET, tmp_path, Index(tmp_path / "index.json"))[0].rows == 2


def test_rows_of_text_files_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('t\n"one\nvalue"\ntwo\n')
    assert peek(Dataset(path="a.csv"), tmp_path, Index(tmp_path / "index.json"))[0].rows == 2


PACKED = {
    "whole": (gzip.compress(b"a,b\n1,x\n2,y\n"), 2),
    "torn": (gzip.compress(b"a,b\n1,x\n")[:-9], -1),
    "no archive": (b"a\0b", -1),
}


@pytest.mark.parametrize(("data", "rows"), PACKED.values(), ids=PACKED.keys())
def test_packed_text_files_are_read_and_torn_ones_have_no_count(tmp_path: Path, data: bytes, rows: int) -> None:
    (tmp_path / "a.csv.gz").write_bytes(data)
    assert peek(Dataset(path="a.csv.gz"), tmp_path, Index(tmp_path / "index.json"))[0].rows == rows
