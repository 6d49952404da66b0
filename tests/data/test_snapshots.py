"""Snapshots: what is kept is what was read, and it can be read again from the store alone."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from towpath.data import read
from towpath.data.index import Index
from towpath.data.manifest import files_of, manifest
from towpath.data.read import Unreadable
from towpath.data.snapshot import Taken, load, look, take
from towpath.data.walk import NoFiles, walk
from towpath.digest import Digest
from towpath.errors import Broken, Refused, UsageError
from towpath.project import Dataset
from towpath.store.memory import MemoryStore

DATASET = Dataset(path="data/*.parquet")


def write(root: Path, name: str, **columns: object) -> Path:
    path = root / "data" / name
    path.parent.mkdir(exist_ok=True)
    frame = pl.DataFrame(columns)
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
    return path


def snapshot(root: Path, store: MemoryStore, dataset: Dataset = DATASET) -> Taken:
    return take("d", look(dataset, root, store), store)


def test_a_snapshot_is_loaded_as_it_was_taken_when_the_files_are_gone(tmp_path: Path) -> None:
    store = MemoryStore()
    write(tmp_path, "1.parquet", a=[1, 2], s=["x", None])
    write(tmp_path, "2.parquet", a=[3], s=["y"])
    taken = snapshot(tmp_path, store)
    for path in (tmp_path / "data").iterdir():
        path.unlink()
    assert_frame_equal(load(store, taken.digest), pl.DataFrame({"a": [1, 2, 3], "s": ["x", None, "y"]}))
    assert manifest(store, taken.digest) == taken.snapshot
    assert [(file.path, file.rows) for file in files_of(store, taken.digest)] == [("data/1.parquet", 2), ("data/2.parquet", 1)]
    assert taken.facts.columns == {"a": "integer", "s": "string"}


def test_the_same_files_give_the_same_manifest(tmp_path: Path) -> None:
    write(tmp_path, "1.parquet", a=[1])
    one = snapshot(tmp_path, MemoryStore())
    (tmp_path / "data/1.parquet").touch()
    assert snapshot(tmp_path, MemoryStore()).digest == one.digest


def test_how_rows_are_cut_into_files_does_not_change_the_content(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for root, parts in ((whole, [[1, 2, 3]]), (cut, [[1], [2, 3]])):
        root.mkdir()
        for number, values in enumerate(parts):
            write(root, f"{number}.parquet", a=values)
    one, other = snapshot(whole, MemoryStore()), snapshot(cut, MemoryStore())
    assert one.facts.content == other.facts.content
    assert one.digest != other.digest


def test_only_what_loses_nothing_is_cast(tmp_path: Path) -> None:
    write(tmp_path, "1.parquet", n=[None], x=[1], t=pl.Series(["a"], dtype=pl.Categorical), gone=[None])
    write(tmp_path, "2.parquet", n=[datetime(2013, 1, 1)], x=[1.5], t=["b"], gone=pl.Series([None], dtype=pl.String))
    write(tmp_path, "3.parquet", n=pl.Series([None], dtype=pl.String), x=pl.Series([2], dtype=pl.Int32), t=[None], new=[True])
    frame = snapshot(tmp_path, MemoryStore()).frame
    assert frame.schema == {"n": pl.Datetime("us"), "x": pl.Float64, "t": pl.String, "gone": pl.Null, "new": pl.Boolean}
    assert frame["x"].to_list() == [1.0, 1.5, 2.0]
    assert frame["new"].to_list() == [None, None, True]


def test_a_type_that_changed_is_refused_with_file_and_column(tmp_path: Path) -> None:
    write(tmp_path, "1.parquet", a=[1])
    write(tmp_path, "2.parquet", a=["1"])
    with pytest.raises(Refused, match=r"data/2\.parquet: column a is String"):
        snapshot(tmp_path, MemoryStore())


def test_untouched_files_are_not_copied_again(tmp_path: Path) -> None:
    path = write(tmp_path, "1.parquet", a=[1])
    store, index = CountingStore(), Index(tmp_path / "index.json")
    age(path)
    first = take("d", look(DATASET, tmp_path, store, index), store)
    again = take("d", look(DATASET, tmp_path, store, Index(tmp_path / "index.json")), store)
    assert store.copied == 1
    assert again.digest == first.digest
    age(write(tmp_path, "1.parquet", a=[2]))
    assert take("d", look(DATASET, tmp_path, store, index), store).digest != first.digest


def test_an_unreadable_part_makes_no_snapshot(tmp_path: Path) -> None:
    path = write(tmp_path, "1.parquet", a=[1])
    path.write_bytes(path.read_bytes()[:-20])
    store = MemoryStore()
    (part,) = look(DATASET, tmp_path, store)
    assert "cut off" in part.fault
    assert store.has(part.digest)  # what was refused can be looked at later
    with pytest.raises(Unreadable, match=r"data/1\.parquet cannot be read: it is cut off"):
        take("d", [part], store)


def test_what_is_no_manifest_is_said(tmp_path: Path) -> None:
    store = MemoryStore()
    with pytest.raises(Broken, match="is no snapshot"):
        load(store, store.put(b"{}"))


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.parquet", b"", "empty"),
        ("a.csv", b"", "empty"),
        ("a.parquet", b"PAR1 and then nothing", "cut off"),
        ("a.parquet", b"time,carrier\n1,UA\n", "no Parquet file"),
        ("a.parquet", b"PAR1" + b"\xff" * 100 + b"PAR1", ""),
        ("a.csv", b"PAR1\0\0\0", "zero bytes"),
        ("a.csv", b"a,b\n1,2\n1,2,3,4\n", ""),
    ],
)
def test_a_file_that_is_no_table_is_named_with_the_reason(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Unreadable) as caught:
        read.read_file(tmp_path / name)
    assert caught.value.file == str(tmp_path / name)
    assert reason in caught.value.reason
    assert "\n" not in caught.value.reason


def test_every_cut_of_a_parquet_file_is_found(tmp_path: Path) -> None:
    whole = write(tmp_path, "1.parquet", a=list(range(50)), s=["x"] * 50).read_bytes()
    for length in range(0, len(whole), 7):
        with pytest.raises(Unreadable):
            read.read_bytes(whole[:length], "1.parquet")


def test_a_csv_file_whose_types_show_late(tmp_path: Path) -> None:
    text = "a\n" + "1\n" * 11_000 + "1.5\n"
    assert read.read_bytes(text.encode(), "a.csv").schema == {"a": pl.Float64}


def test_times_and_tabs_of_text_files() -> None:
    frame = read.read_bytes(b"t\tn\n2013-01-01T05:00:00Z\t\n2013-01-02T05:00:00Z\t4\n", "a.tsv")
    assert frame.schema["t"].is_temporal()
    assert frame["n"].to_list() == [None, 4]


def test_no_file_and_a_strange_name_are_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(NoFiles, match=r"no file matches 'data/\*\.parquet'"):
        walk(tmp_path, DATASET)
    with pytest.raises(UsageError, match="no table by its name"):
        read.read_bytes(b"1", "a.xlsx")


def test_files_come_in_order_of_their_paths_also_from_an_absolute_pattern(tmp_path: Path) -> None:
    for name in ("b.parquet", "a.parquet"):
        write(tmp_path, name, a=[1])
    relative = walk(tmp_path, DATASET)
    assert [file.name for file in relative] == ["data/a.parquet", "data/b.parquet"]
    absolute = walk(Path("/nowhere"), Dataset(path=str(tmp_path / "data/*.parquet")))
    assert [file.path for file in absolute] == [file.path for file in relative]


class CountingStore(MemoryStore):
    copied = 0

    def put_file(self, path: Path) -> Digest:
        self.copied += 1
        return super().put_file(path)


def age(path: Path) -> None:
    """Let a file grow old enough for the index to trust its marks."""
    time.sleep(0.08)
    assert path.exists()
