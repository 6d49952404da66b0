"""The replayer's parts, and a whole backtest of a small project with a spoilt month."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.loop import little

from towpath.backtest.arrivals import Month, arrive, by_month, months
from towpath.backtest.drill import Plant, planted, plants_of
from towpath.backtest.home import past_of
from towpath.backtest.play import Options, play
from towpath.errors import UsageError
from towpath.project import Dataset

YAML = little.YAML.replace("shadow: 20, canary: [50%]", "shadow: 20, canary: [50%], guards: {errors: 1.25x}")
PLANTED = "import polars as pl\n\n\ndef metres(rides):\n    return rides.with_columns(distance=-pl.col('distance'))\n"


def year() -> pl.DataFrame:
    return pl.concat([little.rides(month, 50 + month) for month in (1, 2, 3)])


def test_months_part_the_rows_and_lose_none() -> None:
    frame = year()
    parts = by_month(frame.sample(fraction=1, shuffle=True, seed=2), "time")
    assert [str(month) for month in parts] == ["2024-01", "2024-02", "2024-03"]
    assert pl.concat(parts.values()).sort("time", "distance").equals(frame.sort("time", "distance"))
    for month, part in parts.items():
        assert part["time"].is_between(month.start.replace(tzinfo=None), month.end.replace(tzinfo=None), closed="left").all()


def test_months_go_over_the_year() -> None:
    assert [str(month) for month in months(Month(2023, 11), Month(2024, 2))] == ["2023-11", "2023-12", "2024-01", "2024-02"]


def test_a_single_file_grows_and_a_pattern_gains_a_file(tmp_path: Path) -> None:
    parts = by_month(year(), "time")
    for month in list(parts)[:2]:
        one = arrive(tmp_path, Dataset(path="one.csv", time="time"), parts, month)
        many = arrive(tmp_path, Dataset(path="data/*.parquet", time="time"), parts, month)
    assert pl.read_csv(one).height == 51 + 52
    assert pl.read_parquet(many).equals(parts[Month(2024, 2)])
    assert sorted(file.name for file in tmp_path.rglob("*") if file.is_file()) == ["2024-01.parquet", "2024-02.parquet", "one.csv"]


def test_a_column_that_is_no_time_is_told() -> None:
    with pytest.raises(UsageError, match="'zone' as a column of times"):
        by_month(year(), "zone")


@pytest.mark.parametrize(
    "text",
    [
        "- {month: 2024-03}",
        "- {month: 2024-03, fault: 3%, kill: 3}",
        "- {month: March, kill: 3}",
        "- 7",
        "- {",
        "- {month: 2024-03, spoil: a}",
    ],
)
def test_a_drill_of_no_known_form_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "drill.yaml").write_text(text)
    with pytest.raises(UsageError, match="drill") as caught:
        plants_of(tmp_path / "drill.yaml")
    assert "month" in caught.value.mend


def test_a_drill_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        plants_of(tmp_path / "none.yaml")


def test_plants_of_a_month() -> None:
    plants = (Plant(month="2024-03", kill=3), Plant(month="2024-04", fault=0.03))
    assert planted(plants, "2024-04") == [plants[1]]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_two_months_with_a_spoilt_delivery(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", towpath=YAML, months=4)
    little.commit(root, planted=PLANTED)
    project = little.world(root).project
    spoilt = Plant(month="2024-03", data="rides", spoil="planted.py:metres")
    said: list[str] = []
    played = play(project, Options(start="2024-03", count=2, plants=(spoilt,)), little.ENVIRON, said.append)
    march, april = played.rows
    assert played.refused == []
    assert (march.requests, april.requests) == (1000, 1000)
    assert march.decisions[0] == "version 1 serves production"
    assert any("stopped" in words and "distance" in words for words in april.decisions), april.decisions
    assert any("mended" in words or "arrives" in words for words in said)
    assert "FAULTS" not in played.ledger
    assert march.served["auc"] == pytest.approx(march.frozen["auc"], abs=1e-6)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("path: s3://bucket/rides/, time: time", "is read from elsewhere (bucket)"),
        ("path: data, time: time", "write `path: data/*.parquet`"),
        ("delta: table", "lies in the project's folder"),
    ],
)
def test_data_that_cannot_arrive_month_by_month_is_told(tmp_path: Path, data: str, words: str) -> None:
    root = little.make(tmp_path / "little")
    other = "" if "time" in data else "  timed: {path: 'data/*.parquet', time: time}\n"
    little.commit(
        root,
        towpath=little.YAML.replace("  rides:\n    path: data/*.parquet\n    time: time\n", f"  rides: {{{data}}}\n{other}").replace(
            "    checks: {columns: {distance: {type: number, min: 0}}}\n", ""
        ),
    )
    with pytest.raises(UsageError) as caught:
        past_of(little.world(root).project)
    assert words in str(caught.value)


def test_files_that_are_no_table_are_a_folder_also_in_a_backtest(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little")
    (root / "notes").mkdir()
    (root / "notes/a.txt").write_text("one")
    yaml = little.YAML.replace("data:\n", "data:\n  notes: notes\n")
    body = "rides: pl.DataFrame, notes: Path) -> pl.DataFrame:\n    assert [file.name for file in notes.iterdir()] == ['a.txt']\n"
    code = little.PIPELINE.replace("rides: pl.DataFrame) -> pl.DataFrame:\n", body).replace(
        "import polars", "from pathlib import Path\n\nimport polars", 1
    )
    little.commit(root, towpath=yaml, pipeline=code)
    assert past_of(little.world(root).project).rows.height == 2000
