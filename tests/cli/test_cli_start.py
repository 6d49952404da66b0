"""init: from a table to a project that works, and what is said when that cannot be."""

import json
import os
import stat
import subprocess
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from towpath import labels
from towpath.cli import repository, scaffold
from towpath.errors import UsageError
from towpath.project_file import load


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, and a Git that has no author configured."""
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def flowers(folder, name="flowers.csv"):
    (folder / name).write_text("length,width,kind,price\n1,2,a,1.5\n2,2,b,2.5\n3,1,a,0.5\n4,1,c,4\n")
    return name


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(("label", "task"), [("kind", "multiclass"), ("price", "regression"), ("width", "binary")])
def test_a_project_of_five_lines_is_written(run, here, label, task):
    said = run("init", flowers(here), "--label", label, cwd=here)
    assert said.code == 0, said.err
    project = load(here, {})
    assert (project.model.task, project.model.label.column) == (task, label)
    assert project.data["flowers"].path == "flowers.csv"
    assert project.gates
    assert len((here / "towpath.yaml").read_text().splitlines()) == 5
    assert task in said.out
    assert "next: towpath run" in said.out


def test_without_a_label_the_last_column_is_taken_and_said(run, here):
    said = run("init", flowers(here), cwd=here)
    assert "`price`, the last column" in said.out
    assert load(here, {}).model.label.column == "price"


def test_parquet_works_too(run, here):
    pl.DataFrame({"a": [1, 2, 3], "on": [True, False, True]}).write_parquet(here / "rows.parquet")
    assert run("init", "rows.parquet", cwd=here).code == 0
    assert load(here, {}).model.label.column == "on"
    assert load(here, {}).model.task == "binary"


def test_a_repository_is_made_with_a_first_commit_that_leaves_nothing_open(run, here):
    said = run("init", flowers(here), cwd=here)
    assert "a Git repository was made here" in said.out
    assert git(here, "ls-files").split() == [".gitignore", "towpath.yaml"]
    assert git(here, "log", "--format=%an %s") == "towpath Begin a Towpath project"
    assert git(here, "status", "--porcelain") == ""


def test_the_author_of_the_first_commit_is_the_one_configured(run, here, monkeypatch):
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Zoë")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "zoe@example.org")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Zoë")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "zoe@example.org")
    run("init", flowers(here), cwd=here)
    assert git(here, "log", "--format=%an") == "Zoë"


def test_a_repository_that_is_there_is_left_alone(run, here):
    git(here, "init", "--quiet")
    (here / ".gitignore").write_text("*.log")
    said = run("init", flowers(here), cwd=here)
    assert "git add towpath.yaml .gitignore && git commit" in said.out
    assert (here / ".gitignore").read_text() == "*.log\n.towpath/\n/flowers.csv\n"
    assert subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, check=False).returncode


def test_json_tells_what_was_made(run, here):
    told = json.loads(run("init", flowers(here), "--label", "kind", "--name", "my flowers", "--json", cwd=here).out)
    assert told == {"project": "my_flowers", "label": "kind", "task": "multiclass", "rows": 4, "file": "towpath.yaml"}


def refused(run, here, *words):
    said = run("init", *words, cwd=here)
    assert said.code == 2
    assert said.out == ""
    return said.err


def test_a_project_is_never_overwritten(run, here):
    run("init", flowers(here), cwd=here)
    before = (here / "towpath.yaml").read_text()
    assert "already" in refused(run, here, "flowers.csv", "--label", "kind")
    assert (here / "towpath.yaml").read_text() == before


def test_an_unknown_label_lists_the_columns_with_the_nearest(run, here):
    told = refused(run, here, flowers(here), "--label", "knid")
    assert "did you mean kind?" in told
    assert "length, width, kind, price" in told
    assert list(here.iterdir()) == [here / "flowers.csv"]


@pytest.mark.parametrize(
    ("column", "words", "what"),
    [
        ("[1, 1, 1]", (), "one value only"),
        ("[None, None, None]", (), "no values"),
        ("[str(n) for n in range(99)]", (), "99 different texts"),
        ("[date(2013, 1, n) for n in (1, 2, 3)]", (), "values of type Date"),
        ("[1, 2, 3]", ("--task", "guess"), "no task called 'guess'"),
    ],
)
def test_a_column_that_cannot_be_predicted_is_told(run, here, column, words, what):
    values = {
        "[1, 1, 1]": [1, 1, 1],
        "[None, None, None]": [None] * 3,
        "[str(n) for n in range(99)]": [str(n) for n in range(99)],
        "[date(2013, 1, n) for n in (1, 2, 3)]": [pl.date(2013, 1, n) for n in (1, 2, 3)],
        "[1, 2, 3]": [1, 2, 3],
    }[column]
    frame = pl.DataFrame({"y": values}) if not isinstance(values[0], pl.Expr) else pl.select(pl.concat_list(values).explode().alias("y"))
    frame.write_parquet(here / "rows.parquet")
    assert what in refused(run, here, "rows.parquet", *words)


def repeated(values, times, rest=()):
    return [*values] * times + [*rest]


@pytest.mark.parametrize(
    ("values", "task", "because"),
    [
        (repeated([0, 1, 2], 30), "multiclass", "3 different whole numbers from 0 to 2, each in 30 rows or more"),
        (repeated(range(10), 5), "multiclass", "from 0 to 9"),
        (repeated(range(1, 6), 9, [9 - 3] * 5), "multiclass", "6 different whole numbers from 1 to 6"),
        (repeated([0.0, 1.0, 2.0], 9, [None] * 9), "multiclass", "from 0 to 2"),
        (repeated([0.0, 1.0, 2.0], 9, [float("nan")] * 9), "multiclass", "from 0 to 2"),
        (repeated([-1, 0, 1], 9), "multiclass", "from -1 to 1"),
        (repeated([10, 20, 30], 20), "multiclass", "from 10 to 30"),
        (repeated([10, 20, 30], 19), "regression", "the rarest in 19 rows"),
        (repeated([0, 1, 2], 30, [3] * 4), "regression", "the rarest in 4 rows"),
        ([0, 1, 2], "regression", "the rarest in 1 row ("),
        (repeated(range(11), 30), "regression", "11 different whole numbers from 0 to 10 (if they are classes"),
        (list(range(60)), "regression", "60 different whole numbers from 0 to 59"),
        (repeated([0.5, 1.0, 1.5], 50), "regression", "not all of them whole"),
        ([10**12 + n for n in range(9)] * 5, "multiclass", "from 1000000000000 to 1000000000008"),
        ([True, False, None], "binary", "two values, False and True"),
        ([1.0, 0.0, None], "binary", "two values, 0 and 1"),
        (repeated(["a", "b", "c"], 1), "multiclass", "3 different texts"),
    ],
)
def test_the_task_that_a_data_scientist_would_say(values, task, because):
    found = scaffold.guess(pl.DataFrame({"y": pl.Series(values, strict=False)}), "y", None)
    assert found.task == task
    assert because in found.because


@pytest.mark.parametrize(("values", "other"), [(repeated([0, 1, 2], 9), "regression"), (list(range(20)), "multiclass")])
def test_the_reason_says_how_to_say_otherwise(run, here, values, other):
    pl.DataFrame({"y": values}).write_csv(here / "rows.csv")
    assert f"say --task {other}" in run("init", "rows.csv", cwd=here).out
    (here / "towpath.yaml").unlink()
    assert f"task {other}: --task {other}" in run("init", "rows.csv", "--task", other, cwd=here).out


def test_a_column_with_gaps_is_guessed_and_its_gaps_are_no_labels(run, here):
    pl.DataFrame({"x": range(40), "y": repeated([0.0, 1.0, 2.0, float("nan")], 9, [None] * 4)}).write_csv(here / "rows.csv")
    assert "task multiclass" in run("init", "rows.csv", cwd=here).out
    known = labels.labelled(pl.read_csv(here / "rows.csv"), load(here, {}), datetime(2026, 1, 1, tzinfo=UTC))
    assert sorted(known["y"].unique()) == [0, 1, 2]
    assert known.height == 27
    with pytest.raises(UsageError, match="infinite labels in 'y': 2"):
        labels.labelled(pl.DataFrame({"y": [1.0, float("inf"), -float("inf"), None]}), load(here, {}), datetime(2026, 1, 1, tzinfo=UTC))


def test_files_that_are_no_data_are_told(run, here, tmp_path):
    (here / "notes.txt").write_text("a,b\n")
    (here / "empty.csv").write_text("")
    (here / "header.csv").write_text("a,b\n")
    (here / "cut.parquet").write_bytes(b"PAR1 and then nothing")
    flowers(tmp_path, "outside.csv")
    assert "there is no file missing.csv" in refused(run, here, "missing.csv")
    assert "no table by its name" in refused(run, here, "notes.txt")
    assert "has no rows" in refused(run, here, "header.csv")
    assert "outside the project" in refused(run, here, "../outside.csv")
    assert "no data was named" in refused(run, here)
    for name in ("empty.csv", "cut.parquet"):
        said = run("init", name, cwd=here)
        assert (said.code, name in said.err) == (1, True)


odd = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@example("true", "NULL")
@given(odd, odd)
def test_any_names_are_read_back_as_they_were_written(tmp_path_factory, label, stem):
    folder = tmp_path_factory.mktemp("names")
    path = f"{stem.replace('/', '-')}.csv"
    text = scaffold.towpath_yaml(scaffold.identifier(stem), path, scaffold.Guess(label, "binary", ""))
    (folder / "towpath.yaml").write_text(text, encoding="utf-8")
    project = load(folder, {})
    assert project.model.label.column == label
    (dataset,) = project.data
    assert dataset.isidentifier()
    assert project.data[dataset].path == scaffold.glob.escape(path)


@pytest.fixture
def committed(run, here):
    run("init", flowers(here), cwd=here)
    return here


def test_the_hook_calls_the_loop_and_does_not_wait(run, committed, tmp_path):
    assert run("init", "--hook", cwd=committed).code == 0
    hook = committed / ".git" / "hooks" / "post-commit"
    assert hook.stat().st_mode & stat.S_IXUSR
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\necho "$GIT_DIR $@" >> {tmp_path}/called\n')
    fake.chmod(0o755)
    repository.install_hook(committed, str(fake))
    git(committed, "-c", "user.name=a", "-c", "user.email=b", "commit", "--allow-empty", "-qm", "x")
    for _ in range(100):
        if (tmp_path / "called").exists() and (tmp_path / "called").read_text():
            break
        subprocess.run(["sleep", "0.02"], check=True)
    assert (tmp_path / "called").read_text() == f" -m towpath turn --commit --project {committed}\n"


def test_installing_the_hook_twice_is_as_once(run, committed):
    run("init", "--hook", cwd=committed)
    hook = committed / ".git" / "hooks" / "post-commit"
    once = hook.read_text()
    run("init", "--hook", cwd=committed)
    assert hook.read_text() == once
    assert once.count(repository.BEGIN) == 1


def test_a_hook_of_others_is_kept(run, committed):
    hook = committed / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho theirs")
    run("init", "--hook", cwd=committed)
    assert hook.read_text().startswith("#!/bin/sh\necho theirs\n# >>> towpath >>>\n")
    hook.write_text(hook.read_text() + "echo also theirs\n")
    run("init", "--hook", cwd=committed)
    assert hook.read_text().endswith("# <<< towpath <<<\necho also theirs\n")


def test_a_hook_that_is_no_shell_script_is_not_touched(run, committed):
    hook = committed / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/usr/bin/env python3\nprint()\n")
    said = run("init", "--hook", cwd=committed)
    assert said.code == 2
    assert "turn --commit" in said.err
    assert hook.read_text() == "#!/usr/bin/env python3\nprint()\n"


def test_a_hook_needs_a_repository(run, project):
    assert "not a git repository" in run("init", "--hook", cwd=project).err


def test_a_git_that_says_no_is_quoted(tmp_path):
    with pytest.raises(UsageError, match=r"git log.*not a git repository"):
        repository.git(tmp_path, "log")
