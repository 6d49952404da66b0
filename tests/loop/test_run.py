"""A run, from a commit to a version or to a reason why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.loop import little

from towpath.cli import main
from towpath.events import CandidatePackaged, Outcome, RunEnded, RunStarted, VersionRegistered
from towpath.release import controller


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return little.make(tmp_path / "little")


@pytest.fixture
def again(tmp_path: Path) -> Path:
    """Its first run made version 1."""
    return little.prepared(tmp_path / "little", little.ran)


def test_a_run_registers_a_version_that_passed_every_gate(root: Path) -> None:
    ended = little.ran(root)
    assert (ended.outcome, ended.version) == (Outcome.REGISTERED, 1)
    version = little.world(root).state().registry.version(1)
    assert version.candidate.passed
    assert [verdict.gate.split()[0] for verdict in version.candidate.verdicts] == ["auc", "auc", "parity"]


def test_nothing_changed_makes_nothing(again: Path) -> None:
    ended = little.ran(again)
    assert (ended.outcome, ended.version) == (Outcome.UNCHANGED, None)
    assert "run 1" in ended.because
    assert "version 1" in ended.because
    assert len(little.events(again, VersionRegistered)) == len(little.events(again, CandidatePackaged)) == 1


@pytest.mark.parametrize(
    "files",
    [
        {"pipeline": little.PIPELINE.replace("def features", "# why\n\n\ndef features")},
        {"scaling": little.SCALING.replace("return column\n", "return column + 1\n")},
        {"notes": "x = 1\n"},
    ],
    ids=["a comment", "a function that nothing reaches", "another file"],
)
def test_a_commit_that_changes_nothing_reached_is_unchanged(again: Path, files: dict[str, str]) -> None:
    little.commit(again, **files)
    assert little.ran(again).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize(
    "files",
    [
        {"scaling": little.SCALING.replace("column / 10", "column / 12")},
        {"pipeline": little.PIPELINE.replace("c: float = 1.0", "c: float = 0.5")},
        {"towpath": little.YAML + "seed: 5\n"},
    ],
    ids=["a function that features calls", "a hyperparameter", "the seed"],
)
def test_a_commit_that_changes_what_is_reached_makes_a_candidate(again: Path, files: dict[str, str]) -> None:
    little.commit(again, **files)
    ended = little.ran(again)
    assert (ended.outcome, ended.version) == (Outcome.REGISTERED, 2)


def test_uncommitted_changes_run_by_hand_and_stay_in_staging(root: Path) -> None:
    (root / "scaling.py").write_text(little.SCALING.replace("column / 10", "column / 12"))
    assert little.ran(root).version == 1
    [started] = little.events(root, RunStarted)
    assert isinstance(started, RunStarted)
    assert started.patch
    assert b"column / 12" in little.world(root).store.get(started.patch)
    little.staged(root, 1)
    little.loop(root).turn()
    state = little.world(root).state()
    assert state.live.champion("staging") == 1
    assert state.live.champion("production") is None
    assert "uncommitted" in controller.why_not(state.registry.version(1), state.live)


def test_the_folder_that_a_person_edits_is_not_what_a_commit_runs(again: Path) -> None:
    assert little.git(again, "status", "--porcelain") == ""
    assert not (again / "__pycache__").exists()


def test_a_gate_that_fails_rejects_with_exit_code_1(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    little.commit(root, towpath=little.YAML.replace("baseline + 0.1", "baseline + 0.49"))
    assert main(["run", "--project", str(root)]) == 1
    out = capsys.readouterr().out
    assert "run 1 was rejected: auc" in out
    assert "0.49" in out
    assert little.events(root, VersionRegistered) == []
    assert little.ran(root).outcome is Outcome.UNCHANGED  # the same again would be rejected again


def test_an_exception_of_the_project_ends_the_run_with_its_own_traceback(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    broken = little.PIPELINE.replace('return rides.drop_nulls("distance")', 'raise ArithmeticError("the rides are odd")')
    little.commit(root, pipeline=broken)
    assert main(["run", "--project", str(root)]) == 1
    said = "".join(capfd.readouterr())
    [ended] = little.events(root, RunEnded)
    assert isinstance(ended, RunEnded)
    assert ended.outcome is Outcome.FAILED
    assert "ArithmeticError: the rides are odd" in ended.because
    assert "pipeline.py" in ended.because
    assert "in rows" in ended.because
    assert "src/towpath" not in said + ended.because


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def rows(:\n", ("pipeline.py", "1")),
        ("import no_such_thing\n\n\n" + little.PIPELINE, ("no_such_thing", "pipeline.py")),
        (little.PIPELINE.replace("def model", "def other"), ("model",)),
        (little.PIPELINE.replace('return rides.drop_nulls("distance")', "return 7"), ("rows",)),
    ],
    ids=["a syntax error", "an import that is not there", "no such function", "no frame"],
)
def test_code_that_cannot_be_used_is_told_with_its_place(root: Path, text: str, words: tuple[str, ...]) -> None:
    little.commit(root, pipeline=text)
    ended = little.ran(root)
    assert ended.outcome is Outcome.FAILED
    assert all(word in ended.because for word in words), ended.because
    assert "src/towpath" not in ended.because


def test_a_model_without_a_portable_form_is_held_and_its_part_named(root: Path) -> None:
    odd = little.PIPELINE.replace(
        "from sklearn.linear_model import LogisticRegression", "from sklearn.semi_supervised import LabelSpreading"
    )
    odd = odd.replace("LogisticRegression(C=c)", "LabelSpreading()")
    little.commit(root, pipeline=odd)
    ended = little.ran(root)
    assert ended.outcome is Outcome.HELD
    assert "LabelSpreading" in ended.because
    assert "ways on" in ended.because


NUMBER = little.YAML.replace("task: binary", "task: regression").replace("label: late", "label: minutes")
NUMBER = NUMBER.replace("[auc >= baseline + 0.1, auc >= champion - 0.1, parity <= 1e-4]", "[r2 >= baseline + 0.3, parity <= 1e-4]")
RIDGE = little.PIPELINE.replace("LogisticRegression(C=c)", "Ridge(alpha=c)").replace("import LogisticRegression", "import Ridge")


def test_a_regression(tmp_path: Path) -> None:
    pipeline = RIDGE.replace('"late"', '"minutes"')
    root = little.make(tmp_path / "little", towpath=NUMBER, pipeline=pipeline, months=0)
    rides = little.rides(1)
    noise = np.random.default_rng(3).normal(0, 2, rides.height)
    little.deliver(root, 1, rides.drop("late").with_columns(minutes=3 * pl.col("distance") + pl.col("hour") + noise))
    ended = little.ran(root)
    assert (ended.outcome, ended.version) == (Outcome.REGISTERED, 1), ended.because


def test_a_target_of_words(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little", months=0)
    worded = pl.when("late").then(pl.lit("yes")).otherwise(pl.lit("no"))
    little.deliver(root, 1, little.rides(1).with_columns(late=worded))
    ended = little.ran(root)
    assert (ended.outcome, ended.version) == (Outcome.REGISTERED, 1), ended.because


def test_three_lines_and_a_csv_are_a_project(tmp_path: Path) -> None:
    """No pipeline, no `train`: the default model, with words, nulls and all."""
    root = tmp_path / "plain"
    root.mkdir()
    little.git(root, "init", "--quiet")
    little.rides(1).drop("time").with_columns(hour=pl.when(pl.col("hour") > 2).then("hour")).write_csv(root / "rides.csv")
    little.commit(root, towpath="name: plain\ndata: {rides: rides.csv}\nmodel: {task: binary, rows: rides, label: late}\n")
    ended = little.ran(root)
    assert (ended.outcome, ended.version) == (Outcome.REGISTERED, 1), ended.because
