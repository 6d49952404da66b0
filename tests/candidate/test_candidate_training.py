"""Training is a step: kept, reused, told; and the rows that it may see."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.loop import little

from towpath.candidate import sides
from towpath.errors import ProjectError
from towpath.events import Outcome, StepExecuted
from towpath.project_file import load

VALID = little.PIPELINE.replace(
    "def model(train: pl.DataFrame, *, c: float = 1.0):\n",
    "def model(train: pl.DataFrame, valid: pl.DataFrame, *, c: float = 1.0):\n"
    "    print(f'{train.height} and {valid.height}')\n"
    "    assert train.columns == valid.columns\n",
)
SPLIT = little.YAML.replace("test: {random: 30%}", "test: {random: 30%}, valid: {random: 10%}")


def trainings(root: Path) -> list[bool]:
    """Of each run that came to a training, whether it was reused."""
    return [one.reused for one in little.events(root, StepExecuted) if isinstance(one, StepExecuted) and one.step == "model"]


def test_another_gate_does_not_train_again(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little")
    assert little.ran(root).version == 1
    little.commit(root, towpath=little.YAML.replace("baseline + 0.1", "baseline + 0.49"))
    assert little.ran(root).outcome is Outcome.REJECTED
    assert trainings(root) == [False, True]


def test_rows_for_stopping_are_no_others(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", towpath=SPLIT, pipeline=VALID)
    assert little.ran(root).version == 1
    train, valid = map(int, (root / ".towpath/logs/run-1/model.log").read_text().split(" and "))
    assert abs(valid - 0.1 * (train + valid)) < 40
    assert abs(train + valid - 0.7 * 2000) < 60


def test_no_row_is_on_two_sides(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", towpath=SPLIT)
    rows = little.rides(1).with_row_index()
    parts = sides(load(root, {}), rows)
    assert parts.valid is not None
    numbers = [*parts.train["index"], *parts.valid["index"], *parts.test["index"]]
    assert sorted(numbers) == list(range(rows.height))
    assert parts.height == rows.height


def test_a_training_that_takes_rows_which_nobody_set_aside_is_refused(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", pipeline=VALID)
    ended = little.ran(root)
    assert ended.outcome is Outcome.FAILED
    assert "'model' takes 'valid', and no rows are set aside for it" in ended.because
    assert "split: {valid:" in ended.because


def test_a_stretch_of_time_needs_a_time(tmp_path: Path) -> None:
    root = little.make(
        tmp_path / "little", towpath=SPLIT.replace("valid: {random: 10%}", "valid: {last: 3d}").replace("    time: time\n", "")
    )
    with pytest.raises(ProjectError, match=r"towpath.yaml:\d+: `last` needs a time"):
        sides(load(root, {}), little.rides(1))
