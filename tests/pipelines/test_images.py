"""A dataset of files that are no table: images that a step reads from a folder, up to the model that is served."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import polars as pl
import pytest
from sklearn.datasets import load_digits
from tests.loop import little
from tests.pipelines.test_pipelines import answers, serving

from towpath.cli import main
from towpath.events import Outcome, SnapshotTaken, StepExecuted

YAML = """\
name: digits
data: {images: {path: images, checks: {files: {min: 100}, bytes: {max: 1000000}}}}
pipeline: pipeline.py
model: {task: multiclass, rows: rows, train: model, label: digit}
gates: [accuracy >= 0.8, parity <= 1e-4]
"""
PIPELINE = """\
from pathlib import Path

import polars as pl
from sklearn.linear_model import LogisticRegression


def rows(images: Path) -> pl.DataFrame:
    files = sorted(images.rglob("*.pgm"))
    pixels = [[float(value) for value in file.read_bytes().partition(b"16\\n")[2]] for file in files]
    names = [f"p{number}" for number in range(64)]
    return pl.DataFrame(pixels, schema=names, orient="row").with_columns(digit=pl.Series([file.parent.name for file in files]))


def model(train: pl.DataFrame):
    return LogisticRegression(max_iter=1000).fit(train.drop("digit").to_numpy(), train["digit"].to_numpy())
"""
COUNT = 600


def draw(root: Path, numbers: range) -> None:
    """Some digits as PGM, each in the folder of its class."""
    digits = load_digits()
    for number in numbers:
        file = root / "images" / str(digits.target[number]) / f"{number}.pgm"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"P5 8 8 16\n" + digits.data[number].astype("uint8").tobytes())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = little.make(tmp_path / "digits", towpath=YAML, pipeline=PIPELINE, months=0)
    (root / ".gitignore").write_text(".towpath/\nimages/\n__pycache__/\n")
    little.commit(root)
    draw(root, range(COUNT))
    return root


def change(root: Path, *, yaml: tuple[str, str] = ("", ""), pipeline: tuple[str, str] = ("", "")) -> None:
    little.commit(root, towpath=YAML.replace(*yaml), pipeline=PIPELINE.replace(*pipeline))


def test_images_become_a_model_that_answers(root: Path) -> None:
    ended = little.ran(root)
    assert (ended.outcome, ended.version) == (Outcome.REGISTERED, 1), ended.because
    [taken] = little.events(root, SnapshotTaken)
    assert isinstance(taken, SnapshotTaken)
    assert (taken.files, taken.rows) == (COUNT, -1)
    digits = load_digits()
    asked = pl.DataFrame(digits.data[COUNT : COUNT + 20], schema=[f"p{number}" for number in range(64)], orient="row")
    with serving(root, "--version", "1") as client:
        *_, said = answers(client, "digits", asked)
    told = [str(row["answer"]) for row in said]
    assert sum(one == str(digits.target[COUNT + place]) for place, one in enumerate(told)) >= 16, said


def test_a_step_is_reused_while_the_files_are_the_same_and_runs_again_when_one_changes(root: Path) -> None:
    little.ran(root)
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "a"], cwd=root, check=True)
    assert little.ran(root).outcome is Outcome.UNCHANGED
    draw(root, range(COUNT, COUNT + 1))
    little.ran(root)
    steps = [event for event in little.events(root, StepExecuted) if isinstance(event, StepExecuted)]
    assert [event.reused for event in steps if event.step == "rows"] == [False, True, False]
    assert list((root / ".towpath" / "lent").iterdir()) == []


def test_the_folder_holds_the_files_and_nothing_of_it_can_be_changed(root: Path) -> None:
    marks = "    assert not [p for p in images.rglob('*') if p.stat().st_mode & 0o222], 'writable'\n    files ="
    change(root, pipeline=("    files =", marks))
    assert little.ran(root).outcome is Outcome.REGISTERED


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"pipeline": ("images: Path", "images: pl.DataFrame")}, ("takes as 'images' is files", "a folder: `Path`")),
        ({"pipeline": ("images: Path", "images")}, ("takes as 'images' is files", "a folder: `Path`")),
        ({"yaml": ("rows: rows", "rows: images")}, ("the dataset images is files", "towpath.yaml:4")),
        ({"yaml": ("files: {min: 100}", "files: {min: 1000}")}, ("images has 600 files, must have at least 1000",)),
        ({"yaml": ("bytes: {max: 1000000}", "bytes: {max: 10}")}, ("images has 44,400 bytes, must have at most 10",)),
        ({"yaml": ("files: {min: 100}", "rows: {min: 100}")}, ("which have no rows", "towpath.yaml:2")),
    ],
)
def test_what_cannot_be_is_told(root: Path, edit: dict[str, tuple[str, str]], words: tuple[str, ...]) -> None:
    change(root, **edit)
    ended = little.ran(root)
    assert ended.outcome in (Outcome.FAILED, Outcome.STOPPED)
    assert all(word in ended.because for word in words), ended.because


def test_a_table_is_not_given_as_a_folder(tmp_path: Path) -> None:
    root = little.make(tmp_path / "little")
    little.commit(root, pipeline=little.PIPELINE.replace("rides: pl.DataFrame", "rides: 'Path'"))
    assert "`rides: pl.DataFrame`" in little.ran(root).because


def test_the_history_and_the_status_speak_of_files(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    little.ran(root)
    for words in (["status"], ["history"], ["data", "add"], ["data", "status"]):
        assert main([*words, "--project", str(root)]) == 0
    said = capsys.readouterr().out
    assert "-1 rows" not in said
    assert "no table" not in said


def test_nothing_is_proposed_for_files(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", "--project", str(root)]) == 0
    assert main(["data", "propose", "images", "--project", str(root)]) == 2
    assert "images is files" in capsys.readouterr().err


def test_an_object_that_changed_in_the_store_is_not_lent(root: Path) -> None:
    little.ran(root)
    store = little.world(root).store
    digest = store.put((root / "images/0/0.pgm").read_bytes())
    path = root / ".towpath/store/objects" / digest[:2] / digest[2:]
    if not path.exists():
        pytest.skip("small objects lie in packs here")
    os.chmod(path, 0o644)
    path.write_bytes(b"changed")
    little.commit(root, pipeline=PIPELINE.replace("sorted(", "list("))
    assert "corrupt" in little.ran(root).because


def test_files_that_were_added_before_and_packed_are_lent_too(root: Path) -> None:
    assert main(["data", "add", "--project", str(root)]) == 0
    assert little.ran(root).outcome is Outcome.REGISTERED
