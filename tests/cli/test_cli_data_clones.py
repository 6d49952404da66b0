"""The first hour in a clone, and what is told there: merging, push before pull, what was never sent."""

import subprocess
import sys

import pytest
from tests.cli.clones import commit, git, told

from towpath.cli import repository

YAML = "name: small\nremote: ../shared\ndata: {notes: notes, more: more}\nmodel: {task: binary, rows: notes, label: a}\n"


def written(path):
    """What changes when a file is written, and not when it is read (as the time of access does)."""
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


@pytest.fixture
def ada(tmp_path):
    """A project with a commit, whose data were added and not sent."""
    (tmp_path / "shared").mkdir()
    home = tmp_path / "ada"
    (home / "notes").mkdir(parents=True)
    (home / "more").mkdir()
    (home / "notes/1.txt").write_text("one")
    (home / "towpath.yaml").write_text(YAML)
    (home / ".gitignore").write_text(".towpath/\nnotes/\nmore/\n")
    git(home, "init", "-q")
    return home


@pytest.fixture
def grace(ada, run):
    """Another clone, in which nobody has done anything yet."""
    told(run, "add", "notes", cwd=ada)
    commit(ada, "base")
    return cloned(ada, "grace")


def cloned(ada, name):
    git(ada.parent, "clone", "-q", str(ada), name)
    return ada.parent / name


def added(run, home, name, *, send=True):
    (home / f"notes/{name}.txt").write_text(name)
    told(run, "add", "notes", cwd=home)
    if send:
        told(run, "push", cwd=home)
    commit(home, name)


def driver(home):
    return subprocess.run(["git", "config", "merge.towpath.driver"], cwd=home, capture_output=True, text=True, check=False).stdout.strip()


def test_a_clone_merges_what_both_added_after_any_command_about_data(run, ada, grace):
    told(run, "push", cwd=ada)
    told(run, "checkout", cwd=grace)
    added(run, ada, "ada")
    added(run, grace, "grace")
    git(grace, "pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
    assert git(grace, "status", "--porcelain") == ""
    told(run, "checkout", cwd=grace)
    assert sorted(file.stem for file in (grace / "notes").iterdir()) == ["1", "ada", "grace"]


@pytest.mark.parametrize("words", [("add", "notes"), ("checkout",), ("pull",)])
def test_each_of_these_lets_git_merge(run, ada, grace, words):
    told(run, "push", cwd=ada)
    (grace / "notes").mkdir()
    (grace / "notes/1.txt").write_text("one")
    assert driver(grace) == ""
    told(run, *words, cwd=grace)
    assert driver(grace).endswith("data merge %O %A %B %P")
    assert (grace / ".git/info/attributes").read_text().splitlines()[-1] == repository.MERGED
    assert git(grace, "status", "--porcelain") == ""


def test_a_run_lets_git_merge(run, grace):
    run("run", cwd=grace)
    assert driver(grace)


def test_in_a_linked_work_tree_the_way_is_written_once(run, ada, grace):
    told(run, "push", cwd=ada)
    git(grace, "worktree", "add", "-q", "../linked")
    told(run, "checkout", cwd=grace.parent / "linked")
    assert driver(grace)
    assert (grace / ".git/info/attributes").exists()


def test_a_way_that_is_there_is_left_alone_and_one_whose_python_is_gone_is_mended(run, ada):
    repository.keep_merge(ada)
    config = ada / ".git/config"
    before = written(config)
    attributes = ada / ".git/info/attributes"
    attributes.write_text(f"*.txt text\n{attributes.read_text()}")
    repository.keep_merge(ada)
    assert written(config) == before
    config.write_text(config.read_text().replace(sys.executable, "/no/such/python"))
    repository.keep_merge(ada)
    assert sys.executable in driver(ada)
    assert attributes.read_text() == f"*.txt text\n{repository.MERGED}\n"


def test_a_python_whose_path_has_a_space_is_found_again(tmp_path, monkeypatch):
    git(tmp_path, "init", "-q")
    python = tmp_path / "with a space" / "python"
    python.parent.mkdir()
    python.touch()
    monkeypatch.setattr(sys, "executable", str(python))
    repository.keep_merge(tmp_path)
    before = written(tmp_path / ".git/config")
    repository.keep_merge(tmp_path)
    assert written(tmp_path / ".git/config") == before
    assert str(python) in driver(tmp_path)


def test_a_repository_that_cannot_be_written_stops_no_addition(run, ada):
    (ada / ".git/config.lock").touch()  # as while another git writes it
    told(run, "add", "notes", cwd=ada)
    (ada / ".git/config.lock").unlink()
    told(run, "add", "notes", cwd=ada)
    assert driver(ada)


def test_a_side_that_was_never_sent_leaves_both_lines_and_says_what_helps(run, ada, grace):
    told(run, "push", cwd=ada)
    told(run, "checkout", cwd=grace)
    added(run, ada, "ada", send=False)
    added(run, grace, "grace")
    said = git(grace, "pull", "-q", "--no-rebase", "--no-edit", "origin", "main", code=1)
    assert "neither on this machine nor in a remote (mend: `git merge --abort`, have it sent" in said
    assert "towpath run" not in said
    text = (grace / "towpath.lock").read_text()
    assert text.startswith("<<<<<<< ours\nnotes ")
    assert "git checkout --ours" in run("data", "status", cwd=grace).err
    git(grace, "merge", "--abort")
    told(run, "push", cwd=ada)
    git(grace, "pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
    told(run, "checkout", cwd=grace)
    assert sorted(file.stem for file in (grace / "notes").iterdir()) == ["1", "ada", "grace"]


def test_a_remote_that_is_away_leaves_both_lines_too(run, ada, grace):
    told(run, "push", cwd=ada)
    told(run, "checkout", cwd=grace)
    added(run, ada, "ada")
    added(run, grace, "grace")
    (ada.parent / "shared").rename(ada.parent / "away")
    git(grace, "pull", "-q", "--no-rebase", "--no-edit", "origin", "main", code=1)
    assert (grace / "towpath.lock").read_text().startswith("<<<<<<< ours\nnotes ")


def test_push_before_pull_has_nothing_to_send(run, ada, grace):
    told(run, "push", cwd=ada)
    assert told(run, "push", cwd=grace)["objects"] == 0
    assert told(run, "push", "--all", cwd=grace)["objects"] == 0
    run("data", "status", cwd=grace)  # brings the listing alone
    assert told(run, "push", cwd=grace)["objects"] == 0


def test_what_nobody_sent_is_told_with_who_can(run, grace):
    said = run("data", "push", cwd=grace)
    assert said.code == 2
    assert "1 snapshot is neither whole on this machine nor in the remote" in said.err
    assert "`towpath data push` where it was added" in said.err
    said = run("data", "checkout", cwd=grace)
    assert "towpath data push --all" in said.err


def test_without_a_lock_push_and_pull_say_what_comes_first(run, ada):
    for words in (("push",), ("pull",), ("push", "--all"), ("push", "--dry-run")):
        said = run("data", *words, cwd=ada)
        assert said.code == 2, words
        assert "towpath data add" in said.err


@pytest.mark.parametrize("verb", ["push", "pull", "checkout"])
def test_a_dataset_that_was_never_added_is_told_as_such(run, grace, verb):
    said = run("data", verb, "more", cwd=grace)
    assert said.code == 2
    assert "mend: towpath data add more" in said.err
    assert "no dataset called 'mor'" in run("data", verb, "mor", cwd=grace).err


EXCLUDE = ("data", "exclude", "notes", "--where", "a = 1", "--dry-run")


@pytest.mark.parametrize("words", [("run",), ("data", "add", "notes"), ("data", "check", "notes"), EXCLUDE])
def test_where_files_of_a_locked_dataset_are_absent_check_out_is_named(run, grace, words):
    said = run(*words, cwd=grace)
    assert said.code
    assert "towpath data checkout notes" in said.out + said.err
    assert "towpath data checkout" not in run("data", "add", "more", cwd=grace).err


def test_push_all_sends_what_older_commits_name(run, ada):
    for name in ("two", "three"):
        added(run, ada, name, send=False)
    git(ada, "rm", "-q", "towpath.lock")
    git(ada, "commit", "-qm", "without")
    added(run, ada, "four", send=False)
    planned = told(run, "push", "--all", "--dry-run", cwd=ada)
    assert told(run, "push", cwd=ada)["objects"] < planned["objects"]
    told(run, "push", "--all", cwd=ada)
    clone = cloned(ada, "grace")
    for commit_, names in (("HEAD~3", ["1", "two"]), ("HEAD~2", ["1", "three", "two"]), ("HEAD", ["1", "four", "three", "two"])):
        git(clone, "checkout", "-q", commit_)
        told(run, "checkout", cwd=clone)
        assert sorted(file.stem for file in (clone / "notes").iterdir()) == names
        git(clone, "checkout", "-q", "main")


def test_push_all_sends_the_rest_where_some_is_nowhere(run, ada):
    added(run, ada, "two", send=False)
    for pack in (ada / ".towpath/store").rglob("*"):
        if pack.is_file():
            pack.unlink()
    for kept in ("index.msgpack", "settled.json"):
        (ada / ".towpath" / kept).unlink(missing_ok=True)
    added(run, ada, "three", send=False)
    said = told(run, "push", "--all", cwd=ada)
    assert len(said["absent"]) == 1
    assert said["objects"] > 0
    assert "1 snapshot is neither whole" in run("data", "push", "--all", cwd=ada).out
