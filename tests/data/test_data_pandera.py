"""Pandera schemas in the project's own module: on Polars and on pandas, as schema and as model; slips and missing parts."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from towpath.data.checks import Around, Faulty, judge
from towpath.data.snapshot import Part
from towpath.digest import Digest
from towpath.errors import UsageError
from towpath.pipeline.errors import StepFailed
from towpath.project_checks import Checks
from towpath.project_reading import read
from towpath.store.memory import MemoryStore
from towpath.verdict import Answer, Verdict

SCHEMAS = {
    "a schema on Polars": """
import polars as pl
import pandera.polars as pa
from project.limits import HIGH
flights = pa.DataFrameSchema(
    {"distance": pa.Column(int, pa.Check.in_range(0, HIGH)), "origin": pa.Column(str, unique=True)},
    checks=pa.Check(lambda data: data.lazyframe.select(pl.col("distance") != 13), name="no thirteen"),
)
""",
    "a model on Polars": """
import polars as pl
import pandera.polars as pa
from project.limits import HIGH
class Flights(pa.DataFrameModel):
    distance: int = pa.Field(in_range={"min_value": 0, "max_value": HIGH})
    origin: str = pa.Field(unique=True)
    @pa.dataframe_check(name="no thirteen")
    def thirteen(cls, data):
        return data.lazyframe.select(pl.col("distance") != 13)
""",
    "a schema on pandas": """
import pandera.pandas as pa
from project.limits import HIGH
flights = pa.DataFrameSchema(
    {"distance": pa.Column(int, pa.Check.in_range(0, HIGH)), "origin": pa.Column(str, unique=True)},
    checks=pa.Check(lambda frame: frame["distance"] != 13, name="no thirteen"),
)
""",
}
GOOD = pl.DataFrame({"distance": [1, 2, 3], "origin": ["JFK", "LGA", "EWR"]})
BAD = pl.DataFrame({"distance": [13, 9999, 3], "origin": ["JFK", "JFK", "EWR"]})
AROUND = Around(now=datetime(2013, 6, 1, tzinfo=UTC))


def write(folder: Path, text: str) -> None:
    (folder / "project").mkdir(exist_ok=True)
    (folder / "project" / "limits.py").write_text("HIGH = 5000\n")
    (folder / "project" / "checks.py").write_text(text)


def said(folder: Path, *frames: pl.DataFrame, store: MemoryStore | None = None) -> list[Verdict]:
    parts = [Part(path=str(number), digest=Digest(str(number)), size=1, frame=frame) for number, frame in enumerate(frames)]
    around = Around(now=AROUND.now, code=folder, store=store)
    verdicts = judge("flights", read(Checks, "project.checks"), parts, around)
    return [verdict for verdict in verdicts if "project.checks" in verdict.gate]


@pytest.mark.parametrize("text", SCHEMAS.values(), ids=SCHEMAS)
def test_a_schema_holds_or_names_file_row_and_value(tmp_path, text):
    write(tmp_path, text)
    assert [(verdict.answer, verdict.because) for verdict in said(tmp_path, GOOD, GOOD)] == [(Answer.PASS, "the schema holds in 2 files")]
    store = MemoryStore()
    found = {verdict.gate: verdict for verdict in said(tmp_path, GOOD, BAD, store=store)}
    ranged, unique, thirteen = (next(found[gate] for gate in found if words in gate) for words in ("in_range", "unique", "no thirteen"))
    assert ranged.because == "flights: 1: column distance fails `in_range(0, 5000)` in 1 of 3 rows, such as 9999 in row 2"
    assert ranged.examples == ("1 row 2: 9999",)
    assert unique.because.startswith("flights: 1: column origin fails `field_uniqueness` in 2 of 3 rows, such as JFK in row 1")
    assert "the table fails `no thirteen` in 1 of 3 rows" in thirteen.because
    saved = pl.read_parquet(io.BytesIO(store.get(Digest(ranged.saved))))
    assert saved.select("towpath_file", "towpath_row", "distance").rows() == [("1", 1, 13), ("1", 2, 9999)]
    assert all(verdict.answer is Answer.FAIL for verdict in found.values())


@pytest.mark.parametrize("text", SCHEMAS.values(), ids=SCHEMAS)
def test_a_missing_column_is_told_without_a_row(tmp_path, text):
    write(tmp_path, text.split("    checks=")[0] + ")" if "    checks=" in text else text.split("    @pa")[0])
    (found,) = said(tmp_path, GOOD.drop("origin"))
    assert found.because == "flights: 0: the table fails `column_in_dataframe`: origin"
    assert (found.examples, found.saved) == ((), "")


def test_nothing_of_the_project_stays_importable(tmp_path):
    write(tmp_path, SCHEMAS["a schema on Polars"])
    said(tmp_path, GOOD)
    assert "project" not in sys.modules
    assert str(tmp_path) not in sys.path


def test_a_module_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Faulty, match=r"there is no module project\.checks") as fault:
        said(tmp_path, GOOD)
    assert "make project/checks.py" in fault.value.mend


def test_a_module_without_the_schema_is_told_with_those_it_has(tmp_path):
    write(tmp_path, SCHEMAS["a schema on Polars"].replace("flights =", "fligths ="))
    with pytest.raises(Faulty, match="no schema called flights") as fault:
        said(tmp_path, GOOD)
    assert "there is: fligths" in fault.value.mend


def test_a_module_that_raises_is_told_with_its_line(tmp_path):
    write(tmp_path, "import nonsense_that_is_not_there\n")
    with pytest.raises(StepFailed, match=r"project/checks\.py"):
        said(tmp_path, GOOD)


def test_a_check_that_raises_fails(tmp_path):
    write(tmp_path, SCHEMAS["a schema on pandas"].replace('frame["distance"] != 13', 'frame["nowhere"] != 13'))
    (found,) = said(tmp_path, GOOD)
    assert found.answer is Answer.FAIL
    assert "nowhere" in found.because


def test_without_pandera_the_extra_is_named(tmp_path, monkeypatch):
    write(tmp_path, SCHEMAS["a schema on Polars"])
    for name in [name for name in sys.modules if name.partition(".")[0] == "pandera"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pandera", None)
    with pytest.raises(UsageError, match="pandera is not installed") as fault:
        said(tmp_path, GOOD)
    assert "towpath[pandera]" in fault.value.mend
