"""`towpath trials`: what a search tried, for people, for machines and as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.loop import little

from towpath.cli import main

SEARCH = "search: {trials: 4, folds: 2, sampler: random, space: {c: {float: [0.1, 10], log: true}}}\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = little.make(tmp_path_factory.mktemp("trials") / "little", towpath=little.YAML + SEARCH)
    little.ran(made)
    return made


def said(root: Path, *words: str) -> list[str]:
    return [*words, "--project", str(root)]


def test_trials_stand_best_first(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(said(root, "trials")) == 0
    head, _, *rows = [line for line in capsys.readouterr().out.splitlines() if line]
    assert head.startswith("run 1 searched by auc (fresh: there is no earlier search): 0.")
    values = [float(row.split()[1]) for row in rows]
    assert len(rows) == 4
    assert values == sorted(values, reverse=True)
    assert all(" c " in row for row in rows)


def test_machines_read_every_fold(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(said(root, "trials", "1", "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    assert {len(trial["values"]) for trial in found["trials"] if trial["state"] == "complete"} == {2}


def test_a_picture_is_drawn(root: Path, tmp_path: Path) -> None:
    assert main(said(root, "trials", "--picture", str(tmp_path / "search.svg"))) == 0
    assert (tmp_path / "search.svg").read_text().startswith("<svg")


def test_a_run_that_did_not_search_is_told(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(said(root, "trials", "7")) == 2
    assert "no run that searched called '7'" in capsys.readouterr().err
    bare = little.make(tmp_path / "little")
    assert main(said(bare, "trials")) == 2
    assert "no run has searched yet" in capsys.readouterr().err
