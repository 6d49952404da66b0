"""Collecting, history and push over whatever the past of a repository holds."""

import json
import subprocess

import pytest

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always")

YAML = "name: small\nremote: ../shared\ndata: {notes: notes}\nmodel: {task: binary, rows: notes, label: a}\n"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\n"


def git(folder, *words, check=True):
    done = subprocess.run(["git", *AUTHOR, *words], cwd=folder, check=check, capture_output=True, text=True)
    return done.stdout.strip()


def told(run, *words, cwd):
    said = run("data", *words, "--json", cwd=cwd)
    assert said.code == 0, said.err
    return json.loads(said.out)


@pytest.fixture
def home(tmp_path):
    """A project of one small dataset with a folder as its remote; nothing is added or committed."""
    (tmp_path / "shared").mkdir()
    folder = tmp_path / "home"
    (folder / "notes").mkdir(parents=True)
    (folder / "towpath.yaml").write_text(YAML)
    (folder / ".gitignore").write_text(".towpath/\nnotes/\n")
    git(folder, "init", "-q")
    return folder


def keep(run, folder, text, *, subject=""):
    """Let the dataset be this text, add it and commit the lock."""
    (folder / "notes/a.txt").write_text(text * 50)
    told(run, "add", cwd=folder)
    if subject:
        git(folder, "add", "--all")
        git(folder, "commit", "-qm", subject)
    return git(folder, "rev-parse", "HEAD") if subject else ""


def comes_back(run, folder, commit):
    """What the dataset is in a commit, from the local store alone."""
    git(folder, "checkout", "-qf", commit)
    yaml = folder / "towpath.yaml"
    yaml.write_text(yaml.read_text().replace("remote: ../shared\n", ""))
    said = run("data", "checkout", "--force", cwd=folder)
    git(folder, "checkout", "-q", "--", "towpath.yaml")
    assert said.code == 0, said.err
    return (folder / "notes/a.txt").read_text()


def only_branch(folder):
    """Let nothing but main reach a commit: no other branch, no reflog."""
    git(folder, "branch", "-D", "-q", "side", check=False)
    git(folder, "reflog", "expire", "--expire=now", "--all")


def test_the_side_that_a_merge_did_not_take_is_not_collected(run, home):
    keep(run, home, "base", subject="base")
    git(home, "checkout", "-qb", "side")
    other = keep(run, home, "side", subject="side")
    git(home, "checkout", "-q", "main")
    keep(run, home, "main", subject="main")
    git(home, "merge", "-q", "-s", "ours", "-m", "ours alone", "side")
    only_branch(home)
    told(run, "gc", cwd=home)
    assert comes_back(run, home, other) == "side" * 50


def test_what_a_merge_alone_names_is_not_collected(run, home):
    keep(run, home, "base", subject="base")
    git(home, "checkout", "-qb", "side")
    keep(run, home, "side", subject="side")
    git(home, "checkout", "-q", "main")
    keep(run, home, "main", subject="main")
    git(home, "merge", "-q", "-s", "ours", "--no-commit", "side")
    merged = keep(run, home, "both", subject="both")
    keep(run, home, "after", subject="after")
    only_branch(home)
    told(run, "gc", cwd=home)
    assert comes_back(run, home, merged) == "both" * 50


def test_what_the_reflog_alone_reaches_is_not_collected(run, home):
    keep(run, home, "base", subject="base")
    amended = keep(run, home, "first try", subject="first try")
    git(home, "reset", "-q", "--hard", "HEAD~1")
    keep(run, home, "second try", subject="second try")
    told(run, "gc", cwd=home)
    assert comes_back(run, home, amended) == "first try" * 50


def test_what_was_staged_alone_is_not_collected(run, home):
    keep(run, home, "base", subject="base")
    keep(run, home, "staged")
    git(home, "add", "--all")
    staged = git(home, "write-tree")
    keep(run, home, "work")
    told(run, "gc", cwd=home)
    git(home, "reset", "-q", "--hard", git(home, "commit-tree", "-m", "staged", staged))
    assert comes_back(run, home, "HEAD") == "staged" * 50


def test_what_was_stashed_is_not_collected(run, home):
    keep(run, home, "base", subject="base")
    keep(run, home, "stashed")
    git(home, "stash", "-q")
    git(home, "reflog", "expire", "--expire=now", "HEAD", "main")
    keep(run, home, "work")
    told(run, "gc", cwd=home)
    assert comes_back(run, home, "stash@{0}") == "stashed" * 50


def test_a_project_that_moved_within_its_repository_keeps_what_it_had(run, home):
    old = keep(run, home, "old", subject="old")
    (home / "inner").mkdir()
    for name in ("towpath.yaml", ".gitignore", "towpath.lock"):
        git(home, "mv", name, "inner")
    for name in ("notes", ".towpath"):
        (home / name).rename(home / "inner" / name)
    keep(run, home / "inner", "new", subject="moved")
    (home / "shared").mkdir()
    told(run, "gc", cwd=home / "inner")
    (home / "inner/.towpath").rename(home / ".towpath")
    assert comes_back(run, home, old) == "old" * 50


def test_a_shallow_clone_is_told_to_fetch_the_past(run, home, tmp_path):
    keep(run, home, "one", subject="one")
    told(run, "push", cwd=home)
    keep(run, home, "two", subject="two")
    told(run, "push", cwd=home)
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{home}", "shallow")
    for words in (("gc", "--remote"), ("gc", "--remote", "--dry-run"), ("gc",)):
        said = run("data", *words, cwd=tmp_path / "shallow")
        assert said.code == 2, said
        assert "git fetch --unshallow" in said.err
    git(tmp_path / "shallow", "fetch", "-q", "--unshallow")
    assert "removed" in run("data", "gc", "--remote", "--dry-run", cwd=tmp_path / "shallow").out


def test_outside_of_git_the_remote_is_left_alone(run, home):
    (home / ".git").rename(home / ".gone")
    keep(run, home, "before")
    keep(run, home, "now")
    said = run("data", "gc", "--remote", cwd=home)
    assert said.code == 2
    assert "in no Git repository" in said.err
    said = run("data", "gc", cwd=home)
    assert said.code == 0, said.err
    assert "no Git repository: kept is what towpath.lock and the ledger name" in said.out
    (home / "notes/a.txt").unlink()
    assert told(run, "checkout", cwd=home)[0]["written"] == 1


def test_a_past_without_the_lock_or_with_marks_of_a_conflict_breaks_nothing(run, home):
    first = keep(run, home, "first", subject="first")
    git(home, "rm", "-q", "towpath.lock")
    git(home, "commit", "-qm", "without")
    second = keep(run, home, "second", subject="second")
    text = (home / "towpath.lock").read_text()
    keep(run, home, "third")
    third = (home / "towpath.lock").read_text()
    (home / "towpath.lock").write_text(f"<<<<<<< ours\n{text}=======\n{third}>>>>>>> theirs\n")
    git(home, "commit", "-qam", "marks")
    (home / "towpath.lock").write_text("")
    git(home, "commit", "-qam", "emptied")
    (home / "towpath.lock").write_text(text)
    keep(run, home, "fourth", subject="fourth")
    rows = told(run, "history", cwd=home)
    assert [row["subject"] for row in rows] == ["fourth", "second", "first"]
    told(run, "gc", cwd=home)
    assert comes_back(run, home, first) == "first" * 50
    assert comes_back(run, home, second) == "second" * 50
    git(home, "checkout", "-qf", "main")
    (home / "towpath.lock").write_text(third)
    (home / "notes/a.txt").unlink()
    assert told(run, "checkout", cwd=home)[0]["written"] == 1
    assert (home / "notes/a.txt").read_text() == "third" * 50


@pytest.mark.parametrize("content", [b"\x00GITCRYPT\x00\xff\xfe", LFS], ids=["git-crypt", "git-lfs"])
def test_a_lock_that_nobody_can_read_stops_collecting_and_its_commit_is_named(run, home, content):
    keep(run, home, "first", subject="first")
    text = (home / "towpath.lock").read_text()
    (home / "towpath.lock").write_bytes(content)
    git(home, "commit", "-qam", "unreadable")
    commit = git(home, "rev-parse", "--short=8", "HEAD")
    (home / "towpath.lock").write_text(text)
    keep(run, home, "second", subject="second")
    said = run("data", "gc", cwd=home)
    assert said.code == 1
    assert f"{commit}:towpath.lock" in said.err
    assert [row["subject"] for row in told(run, "history", cwd=home)] == ["second", "first"]


def test_history_before_the_first_commit_or_outside_of_git_is_empty_in_words(run, home):
    for _ in range(2):
        said = run("data", "history", cwd=home)
        assert said.code == 0, said.err
        assert "towpath data add" in said.out
        if (home / ".git").exists():
            (home / ".git").rename(home / ".gone")
