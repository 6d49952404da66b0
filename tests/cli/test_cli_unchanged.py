"""A run that can make nothing new says so at once; whatever might make something new makes it look."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from towpath import kept
from towpath.cli import main
from towpath.project_file import load

YAML = """name: tow
data: {boats: {path: boats.csv, time: at}}
model: {task: binary, rows: boats, label: {column: late, after: 1d}}
gates: [auc >= 0.5]
"""


def git(home: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=home, check=True)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one run."""
    home = tmp_path_factory.mktemp("tow") / "home"
    home.mkdir()
    draw = random.Random(1)
    rows = [(f"2024-03-{1 + n % 28:02}", draw.gauss(0, 1), draw.gauss(0, 1)) for n in range(400)]
    lines = [f"{at},{km},{load},{int(km + load + draw.gauss(0, 0.5) > 0)}" for at, km, load in rows]
    (home / "boats.csv").write_text("\n".join(["at,km,load,late", *lines]) + "\n")
    (home / "towpath.yaml").write_text(YAML)
    (home / ".gitignore").write_text(".towpath\nboats.csv\n")
    git(home, "init", "--quiet")
    git(home, "add", ".")
    git(home, "commit", "--quiet", "-m", "start")
    subprocess.run([sys.executable, "-m", "towpath", "run"], cwd=home, check=True, capture_output=True)
    return home


@pytest.fixture
def home(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "home"
    subprocess.run(["cp", "-a", first, copy], check=True)
    monkeypatch.chdir(copy)
    return copy


def looked(home: Path, capfd: pytest.CaptureFixture[str]) -> tuple[bool, str]:
    """Whether another run looked at the data, and how it ended."""
    capfd.readouterr()
    main(["run", "--json"])
    ended = json.loads(capfd.readouterr().out)
    return bool(kept.state(load(home, {})).runs.all[ended["run"]].snapshots), ended["outcome"]


def test_nothing_changed(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (home / "boats.csv").touch()
    assert looked(home, capfd) == (False, "unchanged")
    heavy = "{'numpy', 'polars', 'pandas', 'pyarrow', 'scipy', 'sklearn', 'onnx', 'onnxruntime'}"
    code = f"import sys\nfrom towpath.cli import main\nmain(['run'])\nprint(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=True)
    assert "nothing it depends on has changed since run 1, which ended in version 1 as registered" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def data(home: Path) -> None:
    with (home / "boats.csv").open("a") as file:
        file.write("2024-03-09,0.1,0.2,1\n")


def code(home: Path) -> None:
    git(home, "commit", "--quiet", "--allow-empty", "-m", "another")


def uncommitted(home: Path) -> None:
    (home / "towpath.yaml").write_text(YAML + "seed: 3\n")


def left_out(home: Path) -> None:
    assert main(["data", "exclude", "boats", "--where", "km > 1.5", "--reason", "a broken scale"]) == 0


@pytest.mark.parametrize("change", [data, code, uncommitted, left_out])
def test_what_changed_is_looked_at(home: Path, capfd: pytest.CaptureFixture[str], change: Callable[[Path], None]) -> None:
    change(home)
    assert looked(home, capfd)[0]


def test_another_distribution_is_looked_at(home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "elsewhere/more-1.0.dist-info").mkdir(parents=True)
    git(home, "status", "--porcelain")
    monkeypatch.syspath_prepend(str(home / "elsewhere"))
    assert looked(home, capfd)[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "data: {boats: {path: boats.csv, time: at}}",
            "data: {boats: {path: boats.csv, time: at, checks: {columns: {at: {fresh: 9000d}}}}}",
        ),
        ("after: 1d", "after: 90000d"),
    ],
)
def test_what_time_alone_may_change_is_looked_at(home: Path, capfd: pytest.CaptureFixture[str], before: str, after: str) -> None:
    """A check of freshness; and labels that were not due yet."""
    (home / "towpath.yaml").write_text(YAML.replace(before, after))
    git(home, "commit", "--quiet", "-am", "another")
    for _ in range(2):
        assert looked(home, capfd)[0]
