"""How many bytes a push sends after a small change of a large table, beside what the real DVC and git-lfs send for the same change."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import tables
from benchmarks.frame import Row
from benchmarks.places import LARGE_BYTES, TOWPATH, Place, declare, say, stored

Sends = Callable[[Path], int]
CHANGES = {"csv": {"appended": tables.append, "inserted in the middle": tables.insert}, "parquet": {"appended": tables.append}}
AUTHOR = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]


def rows(place: Place) -> Iterator[Row]:
    """A row a form and change."""
    for form, changes in CHANGES.items():
        table = place.folder / f"table.{form}"
        tables.write(table, LARGE_BYTES)
        ours, peers = _ours(place.folder / f"push-{form}", table), _peers(place, form)
        for sends in (ours, *peers.values()):
            sends(table)
        for where, change in changes.items():
            change(table, 0.01)
            size = table.stat().st_size
            found = {peer: 100 * sends(table) / size for peer, sends in peers.items()}
            share = 100 * ours(table) / size
            what = f"bytes sent after 1 % was {where}, {size / 1e9:.1f} GB {form}"
            yield Row(work=what, ours=share, unit="%", peers=found, goal="<= 3 %", holds=share <= 3)
        for folder in place.folder.glob(f"*push-{form}*"):
            shutil.rmtree(folder)
        table.unlink()


def _ours(home: Path, table: Path) -> Sends:
    _repository(home)
    declare(home, table.name)

    def sends(table: Path) -> int:
        shutil.copyfile(table, home / table.name)
        say([*TOWPATH, "data", "add"], home)
        told = subprocess.run([*TOWPATH, "data", "push", "--json"], cwd=home, check=True, capture_output=True, text=True).stdout
        return int(json.loads(told)["sent"])

    return sends


def _peers(place: Place, form: str) -> dict[str, Sends]:
    """What each peer's own remote, a folder, has more after a push."""
    found = {"dvc": _dvc(place.folder / f"dvc-push-{form}", place.dvc)}
    if shutil.which("git-lfs"):
        found["git-lfs"] = _lfs(place.folder / f"lfs-push-{form}")
    return found


def _dvc(home: Path, dvc: str) -> Sends:
    _repository(home)
    remote = home / "remote"
    for words in (
        ["init", "--quiet"],
        ["config", "core.analytics", "false"],
        ["remote", "add", "--quiet", "--default", "store", str(remote)],
    ):
        say([dvc, *words], home)

    def sends(table: Path) -> int:
        shutil.copyfile(table, home / table.name)
        say([dvc, "add", "--quiet", table.name], home)
        return _grown(remote, [dvc, "push", "--quiet"], home)

    return sends


def _lfs(home: Path) -> Sends:
    _repository(home)
    remote = home / "remote.git"
    say(["git", "init", "--quiet", "--bare", str(remote)], home)
    say(["git", "remote", "add", "origin", remote.as_uri()], home)
    say(["git", "lfs", "install", "--local"], home)
    say(["git", "lfs", "track", "table.*"], home)

    def sends(table: Path) -> int:
        shutil.copyfile(table, home / table.name)
        say(["git", "add", ".gitattributes", table.name], home)
        say([*AUTHOR, "commit", "--quiet", "--message", "a change"], home)
        return _grown(remote, ["git", "push", "--quiet", "origin", "HEAD"], home)

    return sends


def _grown(remote: Path, command: list[str], home: Path) -> int:
    before = stored(remote)
    say(command, home)
    return stored(remote) - before


def _repository(home: Path) -> None:
    home.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=home, check=True)
