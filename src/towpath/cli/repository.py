"""What commands ask of Git and put into a repository: its first commit, the hook that tells of commits, the way to merge towpath.lock."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from towpath.errors import UsageError

MERGED = "towpath.lock merge=towpath"
_DRIVER = re.compile(r"""^\[merge "towpath"\][^\[]*^\s*driver = '?(.+?)'? -m towpath """, re.MULTILINE)
BEGIN, END = "# >>> towpath >>>", "# <<< towpath <<<"


def git(folder: Path, *words: str) -> str:
    """What a Git command prints. Raises UsageError when there is no Git, or it says no."""
    return git_bytes(folder, *words).decode("utf-8", "replace").strip()


def git_bytes(folder: Path, *words: str, given: bytes = b"") -> bytes:
    """The same as it is printed, for a command that reads ``given``."""
    try:
        done = subprocess.run(["git", *words], cwd=folder, input=given, capture_output=True, check=False)
    except FileNotFoundError:
        raise UsageError("there is no `git` on this machine", mend="install Git: runs are traced to commits") from None
    if done.returncode:
        what = (done.stderr or done.stdout).decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
        raise UsageError(f"`git {' '.join(words)}` failed in {folder}: {what}", mend="try the same command by hand")
    return done.stdout


def is_repository(folder: Path) -> bool:
    """Whether ``folder`` lies in a Git work tree."""
    try:
        return git(folder, "rev-parse", "--is-inside-work-tree") == "true"
    except UsageError as fault:
        if "not a git repository" in fault.what:
            return False
        raise


def begin(folder: Path, files: list[str]) -> None:
    """Make a repository of ``folder`` with ``files`` as its first commit."""
    git(folder, "init", "--quiet")
    keep_merge(folder)
    git(folder, "add", "--", *files)
    git(folder, *_author(folder), "commit", "--quiet", "--message", "Begin a Towpath project")


def _author(folder: Path) -> list[str]:
    """Git refuses to commit for nobody: where no author is configured, the first commit has this one."""
    try:
        git(folder, "var", "GIT_AUTHOR_IDENT")
    except UsageError:
        return ["-c", "user.name=towpath", "-c", "user.email=towpath@localhost"]
    return []


def install_hook(folder: Path, python: str) -> Path:
    """Let every commit make a turn of the loop, in the background. What a hook of others holds stays; twice is as once.

    Raises:
        UsageError: a hook is there that is no shell script.
    """
    hook = folder / git(folder, "rev-parse", "--git-path", "hooks") / "post-commit"
    before = hook.read_text(encoding="utf-8", errors="replace") if hook.exists() else "#!/bin/sh\n"
    if not before.startswith(("#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env bash", "#!/usr/bin/env sh", "#!/bin/dash")):
        raise UsageError(f"{hook} is no shell script, so nothing was added to it", mend=f"let it run this itself: {_call(folder, python)}")
    hook.parent.mkdir(parents=True, exist_ok=True)
    hook.write_text(with_block(before, _call(folder, python)), encoding="utf-8")
    hook.chmod(0o755)
    return hook


def keep_merge(root: Path) -> None:
    """Let Git merge ``towpath.lock`` by the files of the datasets instead of by lines, where the clone does not yet.

    A clone gets nobody's configuration, so commands about data look after it: in files, as that is quicker than to ask Git.
    """
    with suppress(OSError, UsageError):  # a repository that cannot be written, or just is by another: data are kept all the same
        home = _common_folder(root)
        if home and not _merges(home):
            install_merge(root, home, sys.executable)


def install_merge(folder: Path, home: Path, python: str) -> None:
    """Write the way to merge into the repository whose own files lie in ``home``. Twice is as once."""
    attributes = home / "info" / "attributes"
    before = attributes.read_text(encoding="utf-8") if attributes.exists() else ""
    if MERGED not in before.splitlines():
        attributes.parent.mkdir(exist_ok=True)
        attributes.write_text(f"{before}{'' if before.endswith(chr(10)) or not before else chr(10)}{MERGED}\n", encoding="utf-8")
    driver = f"{shlex.join([python, '-m', 'towpath', 'data', 'merge'])} %O %A %B %P"
    git(folder, "config", "merge.towpath.name", "datasets of towpath.lock")
    git(folder, "config", "merge.towpath.driver", driver)


def _common_folder(root: Path) -> Path | None:
    """Where the repository that ``root`` lies in keeps its configuration; None where there is no repository."""
    for folder in (root, *root.parents):
        there = folder / ".git"
        if there.is_dir():
            return there
        if there.is_file():  # of a linked work tree, or a submodule
            home = folder / there.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            common = home / "commondir"
            return home / common.read_text(encoding="utf-8").strip() if common.exists() else home
    return None


def _merges(home: Path) -> bool:
    """Whether the configuration has the driver, with a Python that is still there."""
    driver = _DRIVER.search((home / "config").read_text(encoding="utf-8", errors="replace"))
    return driver is not None and Path(driver[1]).exists()


def with_block(script: str, call: str) -> str:
    """``script`` with ``call`` between our markers: in the place of an earlier block, or at the end."""
    block = f"{BEGIN}\n{call}\n{END}\n"
    if BEGIN in script and END in script:
        head, rest = script.split(BEGIN, 1)
        return head + block + rest.split(END, 1)[1].removeprefix("\n")
    return f"{script}{'' if script.endswith(chr(10)) else chr(10)}{block}"


def _call(folder: Path, python: str) -> str:
    # Git sets GIT_DIR and the like for hooks; the loop's own Git calls must not see them
    turn = shlex.join([python, "-m", "towpath", "turn", "--commit", "--project", str(folder.resolve())])
    return f"(unset $(git rev-parse --local-env-vars); exec {turn} >/dev/null 2>&1) &"
