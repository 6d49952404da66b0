"""Differences of data: what they say is what must be done to come from one version to the other."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.data import sides
from towpath.data.add import add
from towpath.data.diff import diff
from towpath.data.difference import Difference
from towpath.data.index import Index
from towpath.data.read import rows_of
from towpath.data.rows import Delta, delta, summed
from towpath.data.sides import Side
from towpath.project import Dataset
from towpath.store.memory import MemoryStore

VALUES = st.sampled_from([None, 0.0, 1.0, 2.5, math.nan])
KEYS = st.sampled_from([None, "a", "b", "c", "d"])
ROWS = st.lists(st.fixed_dictionaries({"id": KEYS, "km": VALUES, "late": st.sampled_from([None, True, False])}), max_size=8)
SCHEMA = {"id": pl.String, "km": pl.Float64, "late": pl.Boolean}
DATASET = Dataset(path="rides", key=("id",))


def table(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


def bag(frame: pl.DataFrame) -> Counter[tuple[str, ...]]:
    """The rows, counted; NaN equals NaN."""
    return Counter(tuple(map(repr, row)) for row in frame.rows())


def applied(found: Delta, before: pl.DataFrame) -> Counter[tuple[str, ...]]:
    after = bag(before)
    after.subtract(bag(found.removed) + bag(found.was))
    assert min(after.values(), default=0) >= 0, "something was to be taken away that was not there"
    return +after + bag(found.added) + bag(found.now)


@given(ROWS, ROWS, st.sampled_from([(), ("id",), ("id", "late"), ("gone",)]))
def test_applied_to_the_one_it_gives_the_other(one, other, key):
    before, after = table(one), table(other)
    assert applied(delta(before, after, key), before) == bag(after)


@given(ROWS, ROWS, st.sampled_from([(), ("id",)]))
def test_it_mirrors(one, other, key):
    there, back = delta(table(one), table(other), key), delta(table(other), table(one), key)
    assert (bag(there.added), bag(there.removed)) == (bag(back.removed), bag(back.added))
    assert Counter(zip(there.was.rows(), there.now.rows(), strict=True)).total() == back.was.height
    assert (bag(there.was), bag(there.now)) == (bag(back.now), bag(back.was))


@given(ROWS, st.sampled_from([(), ("id",)]), st.randoms(use_true_random=False))
def test_of_the_same_rows_in_any_order_nothing_differs(rows, key, random):
    shuffled = random.sample(rows, len(rows))
    found = summed(delta(table(rows), table(shuffled), key), before=0, after=0)
    assert (found.added, found.removed, found.changed) == (0, 0, 0)


@given(ROWS, ROWS)
def test_changed_rows_share_their_key_and_nothing_else_is_told_of_them(one, other):
    found = delta(table(one), table(other), ["id"])
    assert found.was["id"].to_list() == found.now["id"].to_list()
    for changed in summed(found, before=0, after=0).some_changed:
        assert changed.columns
        assert all(repr(was) != repr(now) for was, now in changed.columns.values())


def test_equal_rows_of_a_repeated_key_are_held_against_each_other_first():
    one, other = pl.DataFrame({"id": [1, 1], "km": [5, 6]}), pl.DataFrame({"id": [1, 1], "km": [6, 7]})
    found = delta(one, other, ["id"])
    assert (found.was.rows(), found.now.rows(), found.added.height, found.removed.height) == ([(1, 5)], [(1, 7)], 0, 0)


def test_columns_are_compared_in_the_wider_type_and_else_as_text():
    one = pl.DataFrame({"id": [1, 2, 3], "km": [1, 2, 3], "code": [7, 8, 9], "void": [None, None, None]})
    other = pl.DataFrame({"id": [1, 2, 3], "km": [1.0, 2.0, 3.5], "code": ["7", "8", "x"], "void": ["a", None, None]})
    found = summed(delta(one, other, ["id"]), before=3, after=3)
    assert found.by_column == {"code": 1, "km": 1, "void": 1}
    assert [list(row.columns) for row in found.some_changed] == [["void"], ["km", "code"]]


# files


class Rides:
    """A folder of Parquet files with versions of it in a store."""

    def __init__(self, root: Path) -> None:
        self.root, self.store, self.index = root, MemoryStore(), Index(root / "index")
        (root / "rides").mkdir()

    def write(self, **months: pl.DataFrame | bytes | None) -> None:
        for name, content in months.items():
            file = self.root / f"rides/{name}.parquet"
            if content is None:
                file.unlink()
            elif isinstance(content, bytes):
                file.write_bytes(content)
            else:
                content.write_parquet(file)

    def added(self, name: str = "one") -> Side:
        done = add("rides", DATASET, self.root, self.store, self.index, count=rows_of)
        return sides.of_snapshot(name, done.digest, self.store)

    def work(self) -> Side:
        return sides.of_work(DATASET, self.root, self.store, self.index)


@pytest.fixture
def rides(tmp_path):
    return Rides(tmp_path)


def month(number: int, rows: int = 100, **more: object) -> pl.DataFrame:
    ids = [f"{number}-{row}" for row in range(rows)]
    return pl.DataFrame({"id": ids, "km": [float(row % 37) for row in range(rows)], **more})


def compared(one: Side, other: Side, **more: object) -> Difference:
    return diff("rides", one, other, key=("id",), **more)


def test_a_new_month_adds_its_rows_and_nothing_else(rides):
    rides.write(a=month(1), b=month(2))
    one = rides.added()
    rides.write(c=month(3, 50))
    found = compared(one, rides.work())
    assert (found.files.added, found.files.same, found.files.is_same) == (["rides/c.parquet"], 2, False)
    assert (found.rows.before, found.rows.after, found.rows.added, found.rows.removed) == (200, 250, 50, 0)
    assert found.columns.is_same


def test_rows_that_moved_to_another_file_are_neither_added_nor_removed(rides):
    rides.write(a=month(1), b=month(2), c=month(3))
    one = rides.added()
    rides.write(a=month(1).head(60), b=pl.concat([month(1).tail(40), month(2)]), c=None, d=month(3))
    found = compared(one, rides.work())
    assert found.files.changed == ["rides/a.parquet", "rides/b.parquet"]
    assert found.files.moved == [("rides/c.parquet", "rides/d.parquet")]
    assert (found.rows.added, found.rows.removed, found.rows.changed) == (0, 0, 0)
    assert all(shift.effect == 0 for shift in found.shifts)


def test_what_both_have_is_not_read(rides, monkeypatch):
    rides.write(a=month(1), b=month(2))
    one = rides.added()
    rides.write(b=month(2, 99))
    two, read = rides.work(), []
    monkeypatch.setattr(Side, "read", lambda side, file, really=Side.read: read.append(file.path) or really(side, file))
    compared(one, two, shifts=False)
    assert read == ["rides/b.parquet"] * 2
    compared(one, two)
    assert read[2:] == ["rides/b.parquet", "rides/b.parquet", "rides/a.parquet", "rides/b.parquet"]
    compared(one, two)  # the profile is noted now
    assert read[6:] == ["rides/b.parquet"] * 2
    compared(one, rides.added())
    compared(one, one)
    assert read[8:] == ["rides/b.parquet"] * 2


def test_a_version_beside_itself_is_empty(rides):
    rides.write(a=month(1))
    one = rides.added()
    for other in (one, rides.work()):
        found = compared(one, other)
        assert (found.files.is_same, found.columns.is_same, found.rows, found.shifts) == (True, True, None, [])


def test_a_version_without_the_dataset_has_nothing(rides):
    rides.write(a=month(1))
    one, nothing = rides.added(), sides.of_nothing("v0", rides.store)
    found, back = compared(nothing, one), compared(one, nothing)
    assert (found.rows.added, found.rows.before, found.rows.after, found.shifts) == (100, 0, 100, [])
    assert (back.rows.removed, back.rows.before, back.rows.after, back.shifts) == (100, 100, 0, [])


def test_schema_changes(rides):
    rides.write(a=month(1, tail=1, code=5, late=True), b=month(2, tail=1, code=5, late=True))
    one = rides.added()
    rides.write(a=month(1, gate="A", code="5", late=True), b=month(2, gate="A", code="5", late=True))
    columns = compared(one, rides.work()).columns
    assert (columns.added, columns.removed, columns.retyped) == (
        {"gate": "string"},
        {"tail": "integer"},
        {"code": ("integer", "string")},
    )


def test_a_column_that_files_of_both_have_is_not_called_new_or_gone(rides):
    rides.write(a=month(1, gate="A"), b=month(2))
    one = rides.added()
    rides.write(b=month(2, gate="B"))
    two = rides.added("two")
    assert compared(one, two).columns.is_same
    assert compared(two, one).columns.is_same


def test_how_far_a_column_moved_is_said_in_the_words_of_drift(rides):
    rides.write(a=month(1), b=month(2))
    one = rides.added()
    rides.write(b=month(2).with_columns(pl.col("km") + 100))
    (shift,) = compared(one, rides.work()).shifts
    assert shift.column == "km"
    assert shift.share == pytest.approx(0.5)
    assert 0.3 < shift.effect < 0.5
    assert shift.because == "50% of rows have a value above 36, before 0%"
    assert sum(cell.before for cell in shift.cells) == pytest.approx(1)
    assert sum(cell.after for cell in shift.cells) == pytest.approx(1)


@pytest.mark.parametrize("wrong", [b"PAR1 no more", b""])
def test_a_file_that_is_no_table_is_named_and_files_are_compared_all_the_same(rides, wrong):
    rides.write(a=month(1))
    one = rides.added()
    rides.write(a=wrong)
    found = compared(one, rides.work())
    assert found.files.changed == ["rides/a.parquet"]
    assert found.rows is None
    assert "rows are not compared: rides/a.parquet cannot be read" in found.trouble


def test_files_whose_columns_do_not_go_together_are_named(rides):
    rides.write(a=month(1))
    one = rides.added()
    rides.write(a=month(1, 99), b=pl.DataFrame({"id": [1], "km": ["far"]}))
    assert "column id is Int64, in the files before it String" in compared(one, rides.work()).trouble


MONTHS = st.dictionaries(st.sampled_from("abc"), ROWS.filter(bool), max_size=3)


@settings(max_examples=60, deadline=None)
@given(MONTHS, MONTHS)
def test_over_files_too_it_is_what_the_whole_tables_differ_in(tmp_path_factory, before, after):
    rides = Rides(tmp_path_factory.mktemp("rides"))
    wholes, versions = [], []
    for months in (before, after):
        for file in (rides.root / "rides").iterdir():
            file.unlink()
        rides.write(**{name: table(rows) for name, rows in months.items()})
        wholes.append(table([row for _, rows in sorted(months.items()) for row in rows]))
        versions.append(rides.added() if months else sides.of_nothing("none", rides.store))
    there, back = compared(*versions), compared(*versions[::-1])
    wanted = summed(delta(*wholes, ("id",)), before=wholes[0].height, after=wholes[1].height)
    if there.rows is None:
        assert before == after or not (wanted.added or wanted.removed or wanted.changed)
        return
    counts = [(rows.before, rows.after, rows.added, rows.removed) for rows in (there.rows, wanted)]
    assert there.rows.added - there.rows.removed == wanted.after - wanted.before
    assert counts[0][:2] == counts[1][:2]
    assert (back.rows.added, back.rows.removed, back.rows.changed) == (there.rows.removed, there.rows.added, there.rows.changed)
    assert (back.files.added, back.files.removed, back.files.changed) == (there.files.removed, there.files.added, there.files.changed)
    if not wholes[0]["id"].is_duplicated().any() and not wholes[1]["id"].is_duplicated().any():
        assert (there.rows.added, there.rows.removed, there.rows.changed) == (wanted.added, wanted.removed, wanted.changed)
