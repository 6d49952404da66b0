"""What runs is a commit's tree, in a place of its own; the user's folder and repository stay as they are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from towpath.errors import UsageError
from towpath.pipeline.worktree import Tree, head, tree, unpack


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in a folder of a repository, with one commit."""
    project = tmp_path / "repository" / "project"
    project.mkdir(parents=True)
    git(project.parent, "init", "-q")
    (project / "towpath.yaml").write_text("name: x\n")
    (project / "run.sh").write_text("#!/bin/sh\n")
    (project / "run.sh").chmod(0o755)
    (project / ".gitignore").write_text("data/\n")
    (project.parent / "elsewhere.txt").write_text("other\n")
    git(project.parent, "add", ".")
    git(project.parent, "commit", "-q", "-m", "first")
    return project


def test_a_clean_tree_is_its_commit(root: Path, tmp_path: Path) -> None:
    found = tree(root)
    assert found == Tree(git(root, "rev-parse", "HEAD"))
    assert not found.dirty
    target = unpack(root, found, tmp_path / "out")
    assert sorted(path.name for path in target.iterdir()) == [".gitignore", "run.sh", "towpath.yaml"]
    assert (target / "run.sh").stat().st_mode & 0o100


def test_changes_new_files_and_removals_travel_in_the_patch(root: Path, tmp_path: Path) -> None:
    (root / "towpath.yaml").write_text("name: y\n")
    (root / "new.bin").write_bytes(bytes(range(256)))
    (root / "run.sh").unlink()
    (root / "data").mkdir()
    (root / "data/big.csv").write_text("ignored")
    (root.parent / "elsewhere.txt").write_text("not of this project\n")
    before = git(root, "status", "--porcelain")
    found = tree(root)
    assert found.dirty
    target = unpack(root, found, tmp_path / "out")
    assert (target / "towpath.yaml").read_text() == "name: y\n"
    assert (target / "new.bin").read_bytes() == bytes(range(256))
    assert sorted(path.name for path in target.iterdir()) == [".gitignore", "new.bin", "towpath.yaml"]
    assert git(root, "status", "--porcelain") == before  # the user's index was not touched
    assert "elsewhere" not in found.patch.decode(errors="replace")


def test_an_edit_while_it_runs_does_not_show(root: Path, tmp_path: Path) -> None:
    found = tree(root)
    (root / "towpath.yaml").write_text("name: later\n")
    assert (unpack(root, found, tmp_path / "out") / "towpath.yaml").read_text() == "name: x\n"


def test_an_older_commit_can_be_taken(root: Path, tmp_path: Path) -> None:
    first = tree(root)
    (root / "towpath.yaml").write_text("name: second\n")
    git(root, "commit", "-q", "-a", "-m", "second")
    assert tree(root) != first
    assert (unpack(root, first, tmp_path / "out") / "towpath.yaml").read_text() == "name: x\n"
    assert git(root, "worktree", "list").count("\n") == 0


def test_links_lead_where_they_led(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("1\n")
    (root / "absolute.txt").symlink_to(tmp_path / "outside.txt")
    (root / "above.txt").symlink_to("../../outside.txt")
    (root / "nowhere").symlink_to("/no/such/place")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "links")
    code = unpack(root, tree(root), tmp_path / "code")
    assert {path.name: os.readlink(path) for path in code.iterdir() if path.is_symlink()} == {
        "absolute.txt": str(tmp_path / "outside.txt"),
        "above.txt": "../../outside.txt",
        "nowhere": "/no/such/place",
    }


def test_no_repository_no_commit_and_no_such_commit(root: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    assert head(tmp_path / "bare") is None
    with pytest.raises(UsageError) as caught:
        tree(tmp_path / "bare")
    assert "git init" in caught.value.mend
    git(tmp_path / "bare", "init", "-q")
    with pytest.raises(UsageError, match="with a commit"):
        tree(tmp_path / "bare")
    with pytest.raises(UsageError, match="0000000"):
        unpack(root, Tree("0" * 40), tmp_path / "out")


def test_a_commit_without_files_says_so(root: Path, tmp_path: Path) -> None:
    repository = root.parent
    git(repository, "rm", "-q", "-r", "--cached", ".")
    git(repository, "commit", "-q", "-m", "nothing is left")
    for folder, words in ((repository, "has no file in"), (root, "cannot be taken")):
        with pytest.raises(UsageError, match=words) as caught:
            unpack(folder, Tree(tree(folder).commit), tmp_path / "tree")
        assert "commit the project's files" in caught.value.mend
