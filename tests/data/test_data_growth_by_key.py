"""Growth by key: a file that was rewritten, cut or put together anew is not new data; nothing is read when nothing changed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.data import keys
from towpath.data.growth import Growth
from towpath.data.growths import Growths
from towpath.data.index import Index
from towpath.data.snapshot import look, take
from towpath.data.sources.files import Files
from towpath.digest import Digest
from towpath.project import Dataset
from towpath.store.memory import MemoryStore

DATASET = Dataset(path="rides/*", key=("id", "day"))


def rows(*ids: int | None, km: float = 1.0) -> pl.DataFrame:
    return pl.DataFrame(
        {"id": ids, "day": [1] * len(ids), "km": [km] * len(ids)}, schema={"id": pl.Int64, "day": pl.Int64, "km": pl.Float64}
    )


class Rides:
    def __init__(self, root: Path) -> None:
        self.root, self.store = root, MemoryStore()
        (root / "rides").mkdir()
        self.growths = self.anew()

    def anew(self) -> Growths:
        """As another process has it."""
        return Growths(self.root, self.store, Index(self.root / "index"))

    def write(self, **files: pl.DataFrame | None) -> None:
        """Files that are old enough for their marks to be trusted."""
        for name, frame in files.items():
            path = self.root / f"rides/{name}.parquet"
            if frame is None:
                path.unlink()
                continue
            frame.write_parquet(path)

    def trained(self) -> Digest:
        return take("rides", look(DATASET, self.root, self.store), self.store).digest

    def since(self, trained: Digest | None, dataset: Dataset = DATASET) -> Growth:
        return self.growths.of("rides", dataset, trained)


@pytest.fixture
def rides(tmp_path: Path) -> Rides:
    made = Rides(tmp_path)
    made.write(a=rows(*range(100)), b=rows(*range(100, 150)))
    return made


@pytest.mark.parametrize(
    ("files", "rows_new"),
    [
        ({}, 0),
        ({"a": rows(*range(100), km=2.0)}, 0),  # rewritten: every value mended
        ({"a": rows(*range(60)), "c": rows(*range(60, 100))}, 0),  # cut in two
        ({"a": None, "b": rows(*range(150))}, 0),  # put together
        ({"a": rows(*reversed(range(100)))}, 0),  # in another order
        ({"a": rows(*range(40))}, 0),  # rows taken away
        ({"b": rows(*range(100, 170))}, 20),  # one that grew
        ({"c": rows(*range(140, 160))}, 10),  # delivered again, with some more
        ({"c": rows(7, 7, 7)}, 0),  # known keys once more
        ({"c": rows(900, 900, 901)}, 3),  # every row of a key that is not known
        ({"c": rows(None, None)}, 2),  # rows without a name
        ({"c": rows(None, 200)}, 2),
        ({"a": rows(*range(100)).cast({"id": pl.Int16})}, 0),  # the same numbers, stored in fewer bytes
        ({"a": rows(*range(100)).cast({"id": pl.String})}, 0),  # or as text
    ],
)
def test_what_counts_as_new(rides: Rides, files: dict[str, pl.DataFrame | None], rows_new: int) -> None:
    trained = rides.trained()
    rides.write(**files)
    found = rides.since(trained)
    assert (found.rows_new, found.share) == (rows_new, rows_new / 150)
    assert (found.size_new > 0) == (
        rows_new > 0 and not any(frame is not None and frame["id"].null_count() == frame.height for frame in files.values())
    )


def test_a_rewritten_file_counts_when_a_gate_refused_what_was_trained_on(rides: Rides) -> None:
    """It may be the mend; the files that stayed are no news all the same."""
    trained = rides.trained()
    assert rides.growths.of("rides", DATASET, trained, accepted=False).rows_new == 0
    rides.write(a=rows(*range(100), km=2.0))
    assert rides.growths.of("rides", DATASET, trained, accepted=False).rows_new == 100
    assert rides.since(trained).rows_new == 0


def test_rows_without_a_name_are_new_as_far_as_there_are_more_of_them(rides: Rides) -> None:
    rides.write(c=rows(None, None, None))
    trained = rides.trained()
    rides.write(c=rows(None, None, None, km=3.0))
    assert rides.since(trained).rows_new == 0
    rides.write(c=rows(None), d=rows(*[None] * 6))
    assert rides.since(trained).rows_new == 4


IDS = st.lists(st.sampled_from([None, 1, 2, 3, 4, 5]), min_size=1, max_size=6)
FILES = st.dictionaries(st.sampled_from("abc"), IDS, min_size=1, max_size=3)


@settings(max_examples=80, deadline=None)
@given(before=FILES, now=FILES)
def test_it_is_what_counting_over_the_whole_tables_gives(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, list[int | None]], now: dict[str, list[int | None]]
) -> None:
    rides = Rides(tmp_path_factory.mktemp("rides"))
    rides.write(**{name: rows(*ids) for name, ids in before.items()})
    trained = rides.trained()
    rides.write(**dict.fromkeys(before))
    rides.write(**{name: rows(*ids, km=2.0) for name, ids in now.items()})
    was, ids = [i for ids in before.values() for i in ids], [i for ids in now.values() for i in ids]
    wanted = sum(i is not None and i not in was for i in ids) + max(0, ids.count(None) - was.count(None))
    assert rides.since(trained).rows_new == wanted


def test_nothing_is_read_when_nothing_changed_and_every_file_once(rides: Rides, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    really = Files.read
    monkeypatch.setattr(Files, "read", lambda self, file, take: opened.append(file.name) or really(self, file, take))
    from_store: list[str] = []
    trained = rides.trained()
    rides.write(c=rows(200))
    time.sleep(0.06)  # so that the files' marks are trusted
    opened.clear()
    first = rides.since(trained)
    assert sorted(set(opened)) == ["rides/a.parquet", "rides/b.parquet", "rides/c.parquet"]
    opened.clear()
    monkeypatch.setattr(rides.store, "get", lambda digest, really=rides.store.get: from_store.append(digest) or really(digest))
    assert rides.since(trained) == first
    assert (opened, from_store) == ([], [])
    assert rides.anew().of("rides", DATASET, trained) == first  # another process: the note of the result, and no file
    assert (opened, len(from_store)) == ([], 1)
    rides.write(d=rows(300))
    assert rides.since(trained).rows_new == 2
    assert set(opened) == {"rides/d.parquet"}


def test_another_snapshot_is_another_question(rides: Rides) -> None:
    one = rides.trained()
    rides.write(c=rows(200, 201))
    assert rides.since(one).rows_new == 2
    assert rides.since(rides.trained()).rows_new == 0
    assert rides.since(None).share == 1.0


@pytest.mark.parametrize("key", [("gone",), ("id", "gone")])
def test_a_key_that_the_files_do_not_have_counts_by_files_until_a_run_says_so(rides: Rides, key: tuple[str, ...]) -> None:
    trained = rides.trained()
    rides.write(c=rows(7, 7))
    assert rides.since(trained, Dataset(path="rides/*", key=key)).rows_new == 2


def test_a_file_that_cannot_be_read_counts_as_if_everything_were_new(rides: Rides) -> None:
    trained = rides.trained()
    (rides.root / "rides/a.parquet").write_bytes(b"PAR1 cut off")
    assert rides.since(trained).share == 1.0


def test_text_files_have_keys_too(tmp_path: Path) -> None:
    rides = Rides(tmp_path)
    (tmp_path / "rides/a.csv").write_text("id,day,km\n1,1,2\n2,1,2\n")
    trained = rides.trained()
    (tmp_path / "rides/a.csv").write_text("id,day,km\n2,1,5\nx,1,2\n1,1,5\n")
    assert rides.since(trained).rows_new == 1


def test_marks_are_the_same_in_every_process() -> None:
    code = """if True:
        import polars as pl
        from towpath.data.keys import of_frame
        print(of_frame(pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}), ["a", "b"]).marks.to_list())
    """
    said = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(2)}
    here = keys.of_frame(pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}), ["a", "b"]).marks.to_list()
    assert said == {f"{here}\n"}
