"""Commits as folders: what runs is a commit's tree in a place of its own, never the folder that a person is editing."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from towpath.errors import TowpathError, UsageError


class Tree(msgspec.Struct, frozen=True):
    """A commit, and the changes on top of it that are not committed (a binary patch; empty when the tree is clean).

    ``behind``: how many commits more its branch's ``upstream`` has, as far as they were fetched.
    """

    commit: str
    patch: bytes = b""
    upstream: str = ""
    behind: int = 0

    @property
    def dirty(self) -> bool:
        """Whether there are uncommitted changes."""
        return bool(self.patch)


def head(root: Path) -> str | None:
    """The commit that is checked out; None where there is no repository or no commit."""
    done = _git(root, "rev-parse", "--verify", "--quiet", "HEAD", check=False)
    return done.stdout.decode().strip() or None


def tree(root: Path) -> Tree:
    """The commit that is checked out, with whatever differs from it below ``root`` (untracked files too, ignored ones not).

    Raises:
        UsageError: no repository, or no commit in it yet.
    """
    return looking(root)()


def looking(root: Path) -> Callable[[], Tree]:
    """Begin to look; what is given waits for the end, and answers as ``tree``. It must be called."""
    words = ["git", "status", "--porcelain=v2", "--branch", "--", "."]
    try:
        git = subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        raise _no_git() from None
    return lambda: _tree(root, git.communicate()[0].decode(errors="replace").splitlines())


def _tree(root: Path, said: list[str]) -> Tree:
    told = dict(line[2:].split(" ", 1) for line in said if line.startswith("# "))
    if told.get("branch.oid", "(initial)") == "(initial)":
        raise UsageError(
            f"{root} is in no Git repository with a commit: a run could not be traced to its code",
            mend="`git init && git add . && git commit -m start`, then run again",
        )
    behind = int(told.get("branch.ab", "+0 -0").split()[1][1:])
    found = Tree(told["branch.oid"], upstream=told.get("branch.upstream", ""), behind=behind)
    if all(line.startswith("# ") for line in said):
        return found
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "GIT_INDEX_FILE": str(Path(folder, "index"))}
        _git(root, "read-tree", "HEAD", environ=environ)
        _git(root, "add", "--all", "--", ".", environ=environ)
        return replace(found, patch=_git(root, "diff", "--cached", "--binary", "--relative", "HEAD", environ=environ).stdout)


def unpack(root: Path, source: Tree, target: Path) -> Path:
    """Write the project's part of a tree to ``target``; the repository itself is left as it is.

    Raises:
        UsageError: the commit is not in the repository.
    """
    target.mkdir(parents=True, exist_ok=True)
    archive = _git(root, "archive", "--format=tar", source.commit, check=False)
    if archive.returncode:
        raise UsageError(
            f"commit {source.commit} cannot be taken from the repository of {root}: {archive.stderr.decode().strip()}",
            mend="fetch it (`git fetch`), or commit the project's files",
        )
    try:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout), mode="r:") as tar:
            tar.extractall(target, filter="tar")  # which lets the user's own links lead where they lead
    except tarfile.ReadError:  # as Python finds an archive with a head and nothing else
        raise UsageError(f"commit {source.commit} has no file in {root}", mend="commit the project's files") from None
    if source.patch:
        _git(target, "apply", "--whitespace=nowarn", "-", data=source.patch, environ={**os.environ, "GIT_DIR": "/nonexistent"})
    return target


def is_descendant(root: Path, commit: str, older: str) -> bool:
    """Whether a commit has another among those before it. An ``older`` one that is not in this clone is not."""
    return _git(root, "merge-base", "--is-ancestor", older, commit, check=False).returncode == 0


def _git(
    folder: Path, *words: str, check: bool = True, data: bytes | None = None, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    try:
        done = subprocess.run(["git", *words], cwd=folder, input=data, capture_output=True, env=environ, check=False)
    except FileNotFoundError:
        raise _no_git() from None
    if check and done.returncode:
        what = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        raise TowpathError(f"`git {words[0]}` failed in {folder}: {what}", mend="try the same command by hand")
    return done


def _no_git() -> UsageError:
    return UsageError("there is no `git` on this machine", mend="install Git: runs are traced to commits")
