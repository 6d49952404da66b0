"""How many bytes a push sends after a small change of a large table, beside what the real DVC and git-lfs send for the same change."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from benchmarks import tables
from benchmarks.frame import Row
from benchmarks.places import LARGE_BYTES, TOWPATH, Place, declare, say, stored

Sends = Callable[[Path], int]  # the bytes that a push sends of a version of the table
CHANGES = {"csv": {"appended": tables.append, "inserted in the middle": tables.insert}, "parquet": {"appended": tables.append}}
AUTHOR = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]


def rows(place: Place) -> Iterator[Row]:
    """A row a form and change. One tool after another, as a disk has no room for what all of them keep."""
    begins = {"ours": _ours, "dvc": partial(_dvc, dvc=place.dvc)} | ({"git-lfs": _lfs} if shutil.which("git-lfs") else {})
    for form, changes in CHANGES.items():
        versions = _versions(place.folder, form, changes.values())
        sent = {tool: _sent(begin, place.folder / f"push-{tool}", versions) for tool, begin in begins.items()}
        for number, where in enumerate(changes):
            size = versions[number + 1].stat().st_size
            found = {tool: 100 * counts[number] / size for tool, counts in sent.items()}
            share = found.pop("ours")
            what = f"bytes sent after 1 % was {where}, {size / 1e9:.1f} GB {form}"
            yield Row(work=what, ours=share, unit="%", peers=found, goal="<= 3 %", holds=share <= 3)
        for version in versions:
            version.unlink()


def _versions(folder: Path, form: str, changes: Iterable[Callable[[Path, float], None]]) -> list[Path]:
    """The table as it was, and after each change to the one before."""
    versions = [folder / f"0.{form}"]
    tables.write(versions[0], LARGE_BYTES)
    for number, change in enumerate(changes, 1):
        versions.append(folder / f"{number}.{form}")
        shutil.copyfile(versions[-2], versions[-1])
        change(versions[-1], 0.01)
    return versions


def _sent(begin: Callable[[Path, str], Sends], home: Path, versions: list[Path]) -> list[int]:
    """The bytes that a tool sends of each version but the first, whose all is new."""
    home.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=home, check=True)
    sends = begin(home, f"table{versions[0].suffix}")
    counts = [sends(version) for version in versions]
    for folder in home.parent.glob(f"{home.name}*"):
        shutil.rmtree(folder)
    return counts[1:]


def _ours(home: Path, name: str) -> Sends:
    declare(home, name)

    def sends(table: Path) -> int:
        shutil.copyfile(table, home / name)
        say([*TOWPATH, "data", "add"], home)
        told = subprocess.run([*TOWPATH, "data", "push", "--json"], cwd=home, check=True, capture_output=True, text=True).stdout
        return int(json.loads(told)["sent"])

    return sends


def _dvc(home: Path, name: str, *, dvc: str) -> Sends:
    """What its remote, a folder, has more after a push."""
    remote = home / "remote"
    for words in (
        ["init", "--quiet"],
        ["config", "core.analytics", "false"],
        ["remote", "add", "--quiet", "--default", "store", str(remote)],
    ):
        say([dvc, *words], home)

    def sends(table: Path) -> int:
        shutil.copyfile(table, home / name)
        say([dvc, "add", "--quiet", name], home)
        return _grown(remote, [dvc, "push", "--quiet"], home)

    return sends


def _lfs(home: Path, name: str) -> Sends:
    """The same of its remote, a bare repository."""
    remote = home / "remote.git"
    say(["git", "init", "--quiet", "--bare", str(remote)], home)
    say(["git", "remote", "add", "origin", remote.as_uri()], home)
    say(["git", "lfs", "install", "--local"], home)
    say(["git", "lfs", "track", name], home)

    def sends(table: Path) -> int:
        shutil.copyfile(table, home / name)
        say(["git", "add", ".gitattributes", name], home)
        say([*AUTHOR, "commit", "--quiet", "--message", "a change"], home)
        return _grown(remote, ["git", "push", "--quiet", "origin", "HEAD"], home)

    return sends


def _grown(remote: Path, command: list[str], home: Path) -> int:
    before = stored(remote)
    say(command, home)
    return stored(remote) - before
