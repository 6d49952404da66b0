"""`towpath run --dvc`: a project of DVC runs unchanged, and what it makes is left as DVC leaves it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.beside_dvc import Dvc

from towpath.cli import main

FILES = {
    "dvc.yaml": """stages:
  prepare:
    cmd: sh src/prepare.sh data/raw.csv data/prepared ${prepare.word}
    deps: [data/raw.csv, src/prepare.sh]
    params: [prepare.word, prepare.split]
    outs: [data/prepared]
  train:
    desc: trains
    wdir: src
    cmd:
    - sh train.sh
    - echo $DVC_STAGE > ../models/log.txt
    deps: [train.sh, ../data/prepared]
    params:
    - ../params.yaml: [train]
    - ../more.json: [x.y]
    outs: [../models/model.txt, ../models/log.txt: {cache: false}]
    metrics: [../metrics.json: {cache: false}]
  show:
    cmd: cat metrics.json models/model.txt > plots.csv
    deps: [metrics.json, models]
    plots: [plots.csv: {x: a}]
plots: [plots.csv]
""",
    "params.yaml": "prepare: {word: bow, split: 0.5}\ntrain: {rate: 0.1, deep: [1, 2]}\n",
    "more.json": '{"x": {"y": 2}}',
    "src/prepare.sh": ". src/common.sh\nmkdir $2\nupper < $1 > $2/a.txt\necho $3 > $2/b.txt\n",
    "src/common.sh": "upper() { tr a-z A-Z; }\n",
    "src/train.sh": "cat ../data/prepared/* > ../models/model.txt\necho '{\"auc\": 0.5}' > ../metrics.json\n",
    "data/.gitignore": "/raw.csv\n",
    "models/readme": "models\n",
}
Told = tuple[int, str]
Project = Callable[..., Told]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of DVC without DVC's own folder."""
    made = tmp_path / "rides"
    write(made, FILES)
    write(made, {"data/raw.csv": "a,b\n"})
    git(made, "init", "--quiet")
    commit(made)
    return made


@pytest.fixture
def run(root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Project:
    """`towpath run --dvc` with files changed before: the exit code, and all that it tells."""
    monkeypatch.chdir(root)

    def run(*words: str, **changed: str) -> Told:
        write(root, changed)
        code = main([*(words or ("run", "--dvc"))])
        return code, "".join(capfd.readouterr())

    return run


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def git(root: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    return subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True, text=True).stdout


def commit(root: Path) -> None:
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "more")


def test_stages_run_without_a_file_of_ours_and_leave_what_they_make(root: Path, run: Project) -> None:
    assert "3 stages, 0 of them reused" in run()[1]
    assert (root / "data/prepared/a.txt").read_text() == "A,B\n"
    assert (root / "models/log.txt").read_text() == "train\n"
    assert (root / "plots.csv").read_text() == '{"auc": 0.5}\nA,B\nbow\n'
    assert (root / "data/.gitignore").read_text() == "/raw.csv\n/prepared\n"
    assert set(git(root, "status", "--short").split()) == {"M", "data/.gitignore", "??", *(".gitignore", "dvc.lock"), *NEW}
    lock = (root / "dvc.lock").read_text()
    assert "cmd: sh src/prepare.sh data/raw.csv data/prepared bow" in lock
    commit(root)
    assert "3 stages, 3 of them reused" in run()[1]
    assert (root / "dvc.lock").read_text() == lock
    assert git(root, "status", "--short") == ""


NEW = ("metrics.json", "models/.gitignore", "models/log.txt")


def test_what_changed_is_executed_and_what_was_deleted_comes_back(root: Path, run: Project) -> None:
    run()
    told = run(**{"params.yaml": FILES["params.yaml"].replace("0.1", "0.2")})[1]
    assert "step train:" in told
    assert "reused: prepare, show" in told  # the model came out the same
    told = run("why", "step", "train")[1]
    assert "parameter ../params.yaml:train is" in told
    assert "dvc.yaml: what a stage reads that `deps` and `params` do not name" in told
    shutil.rmtree(root / "data/prepared")
    (root / "models/model.txt").write_text("by hand")
    assert "3 of them reused" in run()[1]
    assert sorted(path.name for path in (root / "data/prepared").iterdir()) == ["a.txt", "b.txt"]
    assert (root / "models/model.txt").read_text() == "A,B\nbow\n"
    assert "step prepare:" in run(**{"data/raw.csv": "c\n"})[1]
    assert (root / "plots.csv").read_text().endswith("C\nbow\n")


def test_frozen_stages_wait_and_others_always_run(root: Path, run: Project) -> None:
    run()
    frozen = (
        FILES["dvc.yaml"]
        .replace("desc: trains", "frozen: true")
        .replace("plots: [plots.csv: {x: a}]", "always_changed: true\n    outs: [plots.csv]")
    )
    told = run(**{"dvc.yaml": frozen, "models/model.txt": "mine", "src/train.sh": "exit 1\n"})[1]
    assert "step show:" in told
    assert "2 stages, 1 of them reused" in told
    assert (root / "plots.csv").read_text() == '{"auc": 0.5}\nmine'
    assert "step show:" in run()[1]


def test_what_persists_is_there_again(root: Path, run: Project) -> None:
    text = "stages:\n  count:\n    cmd: echo x >> count\n    deps: [step]\n    outs: [count: {persist: true}]\n"
    assert run(**{"dvc.yaml": text, "step": "1"})[0] == 0
    run(step="2")
    assert (root / "count").read_text() == "x\nx\n"


ONE = "stages:\n  one:\n    cmd: {cmd}\n    outs: [{out}]\n"
FAULTS = {
    "foreach": ("stages:\n  one:\n    foreach: [a, b]\n    do: {cmd: x}\n", "dvc.yaml:3: `one.foreach` is not read here"),
    "matrix": ("stages:\n  one:\n    matrix: {a: [1]}\n    cmd: x\n", "dvc.yaml:3: `one.matrix` is not read here"),
    "vars": ("stages:\n  one: {cmd: x}\nvars: [a.yaml]\n", "dvc.yaml:3: `vars` is not read here"),
    "a key": ("stages:\n  one:\n    cmd: x\n    dep: [a]\n", "dvc.yaml:4: stage 'one' has an unknown key `dep`"),
    "a parameter": ("stages:\n  one:\n    cmd: x\n    params: [prepare.words]\n", "no parameter in params.yaml called 'prepare.words'"),
    "an interpolation": (ONE.format(cmd="echo ${prepare.wrod}", out="a"), "did you mean prepare.word"),
    "a mapping": (ONE.format(cmd="echo ${prepare}", out="a"), "is a list or a mapping"),
    "elsewhere": (ONE.format(cmd="x", out="../a"), "'../a' lies outside of the project"),
    "a bucket": (ONE.format(cmd="x", out="s3://a/b"), "lies outside of the project"),
    "no dependency": ("stages:\n  one: {cmd: x, deps: [nowhere]}\n", "there is no nowhere, which a stage depends on"),
    "one path twice": ("stages:\n  one: {cmd: x, outs: [a]}\n  two: {cmd: x, outs: [a]}\n", "a is made by the stages 'one' and 'two'"),
    "a circle": ("stages:\n  one: {cmd: x, deps: [b], outs: [a]}\n  two: {cmd: x, deps: [a], outs: [b]}\n", "steps need each other: "),
    "an exit code": (ONE.format(cmd="echo why; exit 4", out="a"), "ended with exit code 4\n  why"),
    "no output": (ONE.format(cmd="echo > b", out="a"), "step 'one' made no a: it made b"),
    "no stages": ("plots: []\n", "it has no `stages`"),
    "no YAML": ("stages: [\n", "not YAML"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_is_told(run: Project, fault: str) -> None:
    text, words = FAULTS[fault]
    code, told = run(**{"dvc.yaml": text})
    assert code in (1, 2)
    assert words in told


def test_a_run_that_was_not_told_which(run: Project) -> None:
    code, told = run("run")
    assert code == 2
    assert "towpath run --dvc" in told
    assert run("runs")[0] == 0


def test_what_was_made_before_another_failed_is_left(root: Path, run: Project) -> None:
    code, told = run(**{"src/train.sh": "cat nowhere\n"})
    assert code == 1
    assert "cat: nowhere: No such file or directory" in told
    assert (root / "data/prepared/a.txt").exists()
    assert "prepare:" in (root / "dvc.lock").read_text()


@pytest.mark.parts
@pytest.mark.timeout(400)
def test_it_is_as_after_dvc_itself(root: Path, run: Project, dvc: Dvc, tmp_path: Path) -> None:
    dvc(root, "init", "--quiet")
    dvc(root, "add", "--quiet", "data/raw.csv")
    (root / "src/tool.sh").write_text("#!/bin/sh\n")
    (root / "src/tool.sh").chmod(0o755)
    (root / "dvc.yaml").write_text(FILES["dvc.yaml"].replace("deps: [metrics.json", "deps: [src/tool.sh, metrics.json"))
    commit(root)
    other = tmp_path / "other"
    shutil.copytree(root, other)
    assert run()[0] == 0
    dvc(other, "repro", "--quiet")
    assert there(root) == there(other)
    assert "up to date" in dvc(root, "status")
    assert "didn't change" in dvc(root, "repro")
    told = run(**{"params.yaml": FILES["params.yaml"].replace("bow", "stern")})[1]
    assert "3 stages, 0 of them reused" in told
    (other / "params.yaml").write_text((root / "params.yaml").read_text())
    dvc(other, "repro", "--quiet")
    assert there(root) == there(other)
    assert json.loads(dvc(root, "metrics", "show", "--json"))[""]["data"]["metrics.json"]["data"] == {"auc": 0.5}
    shutil.rmtree(root / "data/prepared")
    (root / "data/raw.csv").unlink()
    assert "3 of them reused" in run()[1]  # from DVC's cache
    dvc(root, "checkout", "--quiet")
    assert "up to date" in dvc(root, "status")


def there(root: Path) -> dict[str, bytes]:
    """All files of the project, and those that DVC keeps, without what it only remembers."""
    left_out = {".git", ".towpath", "tmp", "runs"}
    files = (file for file in root.rglob("*") if file.is_file() and not left_out & {*file.relative_to(root).parts})
    return {str(file.relative_to(root)): file.read_bytes() for file in files}
