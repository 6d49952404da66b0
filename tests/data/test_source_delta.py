"""Delta tables as sources: one version, its files as they are, and what would be read wrongly is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from polars.testing import assert_frame_equal

from towpath.data.compare import compare, here
from towpath.data.index import Index
from towpath.data.manifest import files_of
from towpath.data.snapshot import Taken, load, see, take
from towpath.digest import of_file
from towpath.errors import UsageError
from towpath.project import Dataset
from towpath.project_reading import read
from towpath.store.memory import MemoryStore

RIDES = pl.DataFrame({"id": [1, 2, 3], "km": [1.5, None, 2.0]})


def taken(root: Path, store: MemoryStore, index: Index | None = None, *, version: int | None = None, place: str = "rides") -> Taken:
    seen = see(Dataset(delta=place, version=version), root, store, index)
    return take("rides", seen.parts, store, kind=seen.kind, origin=seen.origin)


def test_a_version_is_its_files_as_they_are_and_is_remembered(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "rides", RIDES)
    write_deltalake(tmp_path / "rides", RIDES.with_columns(pl.col("id") + 10), mode="append")
    store = MemoryStore()
    latest, first = taken(tmp_path, store), taken(tmp_path, store, version=0)
    assert (latest.snapshot.source, first.snapshot.source) == ({"delta": "rides", "version": 1}, {"delta": "rides", "version": 0})
    assert (latest.snapshot.rows, first.snapshot.rows) == (6, 3)
    assert_frame_equal(load(store, first.digest), RIDES)
    for file in files_of(store, latest.digest):
        assert of_file(tmp_path / "rides" / file.path) == file.digest


def test_rows_that_a_later_version_overwrote_are_not_in_it(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "rides", RIDES)
    write_deltalake(tmp_path / "rides", RIDES.head(1), mode="overwrite")
    assert taken(tmp_path, MemoryStore()).frame["id"].to_list() == [1]


def test_partitions_come_back_with_their_types_and_odd_values(tmp_path: Path) -> None:
    days = [date(2024, 1, 1), date(2024, 1, 2), None]
    whole = RIDES.with_columns(day=pl.Series(days), zone=pl.Series(["x y", "b/c%20", "ü"]))
    write_deltalake(tmp_path / "rides", whole, partition_by=["day", "zone"])
    store = MemoryStore()
    one = taken(tmp_path, store, index := Index(tmp_path / "index"))
    assert_frame_equal(one.frame.sort("id").select(whole.columns), whole)
    again = taken(tmp_path, store, index)
    assert again.digest == one.digest
    assert again.snapshot.size == one.snapshot.size > 0


def test_columns_that_came_later_are_null_before(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "rides", RIDES)
    write_deltalake(tmp_path / "rides", RIDES.with_columns(zone=pl.lit("a")), mode="append", schema_mode="merge")
    assert taken(tmp_path, MemoryStore()).frame.sort("zone", nulls_last=True)["zone"].to_list() == ["a"] * 3 + [None] * 3


def test_only_files_of_new_versions_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_deltalake(tmp_path / "rides", RIDES)
    dataset, index = Dataset(delta="rides"), Index(tmp_path / "index")
    before = here(dataset, tmp_path, index)
    write_deltalake(tmp_path / "rides", RIDES.head(1), mode="append")
    (tmp_path / "rides" / before[0].path).write_bytes(b"a file of a table never changes: who knows it does not read it")
    now = here(dataset, tmp_path, index)
    standing = compare(now, before)
    assert (len(standing.added), standing.changed, standing.removed) == (1, [], [])


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"delta": "nowhere"}, "there is no Delta table at nowhere"),
        ({"delta": "rides", "version": 9}, "has no version 9"),
    ],
)
def test_what_is_not_there_is_told(tmp_path: Path, declared: dict[str, object], words: str) -> None:
    write_deltalake(tmp_path / "rides", RIDES)
    with pytest.raises(UsageError, match=words):
        see(read(Dataset, declared), tmp_path, MemoryStore())


def test_a_version_that_was_vacuumed_is_told_and_its_snapshot_still_has_it(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "rides", RIDES)
    store = MemoryStore()
    first = taken(tmp_path, store)
    write_deltalake(tmp_path / "rides", RIDES.head(1), mode="overwrite")
    DeltaTable(tmp_path / "rides").vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    with pytest.raises(UsageError, match="was vacuumed"):
        taken(tmp_path, MemoryStore(), version=0)
    assert_frame_equal(load(store, first.digest), RIDES)


def test_rows_that_files_do_not_hold_as_they_are_are_refused(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "rides", RIDES)
    log = tmp_path / "rides/_delta_log/00000000000000000000.json"
    plain = '"minReaderVersion":1,"minWriterVersion":2'
    assert plain in log.read_text()
    features = '"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]'
    log.write_text(log.read_text().replace(plain, features))
    with pytest.raises(UsageError, match="uses deletion vectors") as caught:
        taken(tmp_path, MemoryStore())
    assert "PURGE" in caught.value.mend


@pytest.mark.parts
def test_a_table_in_a_bucket(tmp_path: Path, moto, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in moto.environ.items():
        monkeypatch.setenv(name, value)
    place, options = f"{moto.new()}/rides", {"AWS_ALLOW_HTTP": "true", "aws_conditional_put": "etag"}
    write_deltalake(place, RIDES.with_columns(day=pl.lit("a b")), partition_by=["day"], storage_options=options)
    store = MemoryStore()
    assert_frame_equal(taken(tmp_path, store, place=place).frame, RIDES.with_columns(day=pl.lit("a b")))
    with pytest.raises(UsageError, match="there is no Delta table"):
        taken(tmp_path, store, place=f"{place}/nowhere")
