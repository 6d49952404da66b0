"""Another version of a library is another question: what an earlier one made on the folds says nothing of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from tests.loop import little

from towpath.candidate.choosing import searched
from towpath.candidate.recipe import recipe
from towpath.candidate.sides import sides
from towpath.candidate.source import Source
from towpath.pipeline import distributions
from towpath.project_file import load
from towpath.project_search import LIBRARIES, Search
from towpath.search import auto
from towpath.search.port import Conduct
from towpath.search.portfolio import CONTENDERS

Install = Callable[[str, str], None]
SEARCH = "search: {trials: 1, folds: 2, sampler: random, space: {c: {float: [0.1, 10]}}}\n"
SET_ASIDE = little.YAML.replace("test: {random: 30%}", "test: {random: 30%}, valid: {random: 10%}") + SEARCH
STOPPING = little.PIPELINE.replace("def model(train: pl.DataFrame,", "def model(train: pl.DataFrame, valid: pl.DataFrame,")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Writes the record of another version of a library, which is found before its own."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def forget() -> None:
        for name in ("_providers", "_listed", "_folders", "_distribution"):
            getattr(distributions, name).cache_clear()

    def write(library: str, version: str) -> None:
        for old in site.iterdir():
            shutil.rmtree(old)
        folder = site / f"{library}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Name: {library}\nVersion: {version}\n")
        (folder / "RECORD").write_text(f"{library}\n")
        forget()

    yield write
    forget()


def questions(folder: Path) -> int:
    return len(list(folder.glob("*.jsonl")))


def test_a_race_is_run_again_with_another_version(tmp_path: Path, install: Install) -> None:
    rows = pl.DataFrame({"a": [float(n) for n in range(80)], "late": [0, 1] * 40})
    made = tuple(auto.folds(rows, auto.Shuffled(2)))
    for version, count in (("1", 1), ("1", 1), ("2", 2)):
        install("sklearn", version)
        auto.models(rows, "late", "binary", Search(trials=1), made, Conduct(tmp_path / "trials"))
        assert questions(tmp_path / "trials") == count


def test_groups_are_looked_for_again_with_another_version(tmp_path: Path, install: Install) -> None:
    rows = pl.DataFrame({"a": [n % 7 + n / 100 for n in range(80)]})
    for version, count in (("1", 1), ("1", 1), ("2", 2)):
        install("sklearn", version)
        auto.clusters(rows, Search(trials=1), Conduct(tmp_path / "trials"))
        assert questions(tmp_path / "trials") == count


@pytest.mark.parametrize("library", ["lightgbm", "xgboost", "sklearn"])
def test_a_recipe_of_the_portfolio_counts_its_libraries(tmp_path: Path, install: Install, library: str) -> None:
    project = load(little.make(tmp_path / "little", towpath=little.YAML.replace("train: model", "train: auto")), {})
    source = Source.of(project, project.root)
    before = recipe(project, source, "rows")
    install(library, "99")
    assert recipe(project, source, "rows") != before


def test_rows_to_stop_by_are_a_part_of_the_question(tmp_path: Path) -> None:
    project = load(little.make(tmp_path / "little", towpath=SET_ASIDE, pipeline=STOPPING, months=1), {})
    source, rows = Source.of(project, project.root), little.rides(1, 200)
    parts = sides(project, rows)
    assert parts.valid is not None
    for valid, count in ((parts.valid, 1), (parts.valid, 1), (parts.valid.reverse(), 2)):
        searched(project, source, replace(parts, valid=valid), Conduct(tmp_path / "trials"))
        assert questions(tmp_path / "trials") == count


def test_the_libraries_are_those_of_the_portfolio() -> None:
    assert set(LIBRARIES) == {one.library for one in CONTENDERS}
