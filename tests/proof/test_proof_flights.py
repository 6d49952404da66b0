"""Two versions of the flights example: each is made again identical, and what was edited between them is named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
EDITS = {'(pl.col("hour") * 60 + pl.col("minute"))': '(pl.col("hour") + pl.col("minute"))', "trees: int = 200": "trees: int = 150"}
pytestmark = [pytest.mark.parts, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 is of the example with the flights of January; version 2 of an edited function and parameter."""
    if not (FLIGHTS / "data" / "prepared").exists():
        pytest.skip("the flights are not prepared: make examples/flights/data/prepared")
    home = tmp_path_factory.mktemp("flights") / "home"
    shutil.copytree(FLIGHTS, home, ignore=shutil.ignore_patterns(".towpath", "__pycache__", "data"))
    for table in ("flights", "weather"):
        (home / "data" / table).mkdir(parents=True)
        shutil.copy(FLIGHTS / f"data/{table}/2013-01.parquet", home / "data" / table)
    (home / ".gitignore").write_text(".towpath\ndata\n__pycache__\n")
    subprocess.run(["git", "init", "-q"], cwd=home, check=True)
    committed_and_run(home)
    code = home / "project/pipeline.py"
    for before, after in EDITS.items():
        assert before in code.read_text()
        code.write_text(code.read_text().replace(before, after))
    committed_and_run(home)
    return home


def committed_and_run(home: Path) -> None:
    for words in (["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "next"]):
        subprocess.run(["git", *words], cwd=home, check=True)
    assert said(home, "run")["outcome"] == "registered"


def said(home: Path, *words: str) -> Any:
    done = subprocess.run([sys.executable, "-m", "towpath", *words, "--json"], cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("version", ["1", "2"])
def test_each_version_is_made_again_identical(home: Path, version: str) -> None:
    found = said(home, "reproduce", version)
    assert (found["answer"], found["package"]["answer"], found["environment"]) == ("identical", "identical", [])
    assert {one["name"]: one["answer"] for one in found["steps"]} == {"rows": "identical", "model": "identical"}
    assert {one["answer"] for one in found["metrics"]} == {"identical"}


def test_what_was_edited_between_them_is_named(home: Path) -> None:
    words = ["why", "1", "2", "--no-attribute"]
    done = subprocess.run([sys.executable, "-m", "towpath", *words], cwd=home, capture_output=True, text=True, check=True)
    named = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ") and line[2] != " "]
    assert "code: features of project.pipeline changed" in named
    assert "parameter trees is 150, was 200" in named
    assert {line.split()[1] for line in named if line.startswith("code: ")} == {"features", "model"}  # `trees` stands in its signature
    assert "seed: the same\ndistributions: the same" in done.stdout
