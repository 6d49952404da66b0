"""A small project with steps and a model, whose versions are made again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from towpath.cli import main

PIPELINE = """import polars as pl
from sklearn.linear_model import LogisticRegression

FACTOR = 1.6


def miles(km):
    return km / FACTOR


def rows(rides: pl.DataFrame) -> pl.DataFrame:
    return rides.with_columns(miles=miles(pl.col("km")))


def model(train: pl.DataFrame, *, c: float = 1.0) -> LogisticRegression:
    return LogisticRegression(C=c).fit(train.drop("late").to_numpy(), train["late"].to_numpy())
"""
YAML = """name: rides
data: {rides: rides.csv}
pipeline: pipeline.py
model: {task: binary, rows: rows, label: late, train: model}
gates: [auc >= baseline + 0.1, parity <= 1e-4]
"""


class Said(NamedTuple):
    code: int
    out: str
    err: str


class Work:
    """A repository with the project."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write(YAML, PIPELINE)
        self.rides(600)
        (root / ".gitignore").write_text(".towpath/\n__pycache__/\nrides.csv\n")
        self.git("init", "-q")

    def write(self, yaml: str = "", pipeline: str = "") -> None:
        for name, text in (("towpath.yaml", yaml), ("pipeline.py", pipeline)):
            if text:
                (self.root / name).write_text(text)

    def rides(self, count: int) -> None:
        lines = [f"{hour % 24},{hour * 7 % 40 + hour / 4096},{int((hour * 7 + hour % 5) % 40 > 20)}" for hour in range(count)]
        (self.root / "rides.csv").write_text("hour,km,late\n" + "\n".join(lines) + "\n")

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=self.root, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "-qm", "next")

    def run(self, *words: str) -> None:
        """A run that must end well."""
        before = Path.cwd()
        os.chdir(self.root)
        try:
            assert main(["run", *words]) == 0
        finally:
            os.chdir(before)


@pytest.fixture
def towpath(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs a command in this process."""

    def call(root: Path, *words: str) -> Said:
        capfd.readouterr()
        before = Path.cwd()
        os.chdir(root)
        try:
            code = main([str(word) for word in words])
        finally:
            os.chdir(before)
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return call
