"""Versions of data: adding, asking, checking out, beside DVC and git-lfs on the same files.

Every figure is of a whole command. Each addition begins with a new home in a new folder: on ext4, files made right after many others
were removed take many times longer, which would be charged to whoever comes later.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import peers, tables
from benchmarks.frame import Row, main
from towpath.digest import of_file

SMALL, SMALL_BYTES = 20_000, 10_240
CHANGES = 3
LARGE_BYTES = int(os.environ.get("BENCH_LARGE_BYTES", 2 << 30))
TOWPATH = [str(Path(sys.executable).with_name("towpath"))]
MANY, MANY_BYTES = int(os.environ.get("BENCH_MANY", 1_000_000)), 100
YAML = "name: bench\nremote: {remote}\ndata: {{things: {things}}}\nmodel: {{task: binary, rows: things, label: x}}\n"


def rows() -> Iterator[Row]:
    """Measured in a folder beside this one, so that the disk is the one that a project would lie on."""
    dvc = peers.programs("dvc", "dvc==3.67.1") / "dvc"
    with tempfile.TemporaryDirectory(dir=Path.cwd() / "build") as folder:
        place = Place(Path(folder), dvc)
        yield from _small(place)
        yield from _large(place)
        yield from _pushes(place)
        yield from _many(place)


class Place:
    """Folders with the same files, one a tool; hard links to one original, which no tool changes."""

    def __init__(self, folder: Path, dvc: Path) -> None:
        self.folder, self.dvc, self._count = folder, str(dvc), 0

    def new(self, original: Path) -> Path:
        """A fresh repository whose ``things`` is a copy of ``original``."""
        self._count += 1
        home = self.folder / f"{self._count:03}"
        home.mkdir()
        copied = shutil.copytree if original.is_dir() else shutil.copyfile
        copied(original, home / "things")
        subprocess.run(["git", "init", "--quiet"], cwd=home, check=True)
        declare(home, "things")
        return home

    def with_dvc(self, original: Path, cache: str) -> Path:
        """The same, with DVC set up to fill its work trees by ``cache`` (copy, hardlink)."""
        home = self.new(original)
        say([self.dvc, "init", "--quiet"], home)
        say([self.dvc, "config", "cache.type", cache], home)
        say([self.dvc, "config", "core.analytics", "false"], home)
        return home

    def with_lfs(self, original: Path) -> Path:
        """The same, with git-lfs tracking it."""
        home = self.new(original)
        say(["git", "lfs", "install", "--local"], home)
        say(["git", "lfs", "track", "things/**" if original.is_dir() else "things"], home)
        return home


def declare(home: Path, things: str) -> None:
    """A project whose dataset is ``things``, with a remote of its own beside it."""
    (home.parent / f"{home.name}-remote").mkdir(exist_ok=True)
    (home / "towpath.yaml").write_text(YAML.format(things=things, remote=f"../{home.name}-remote"))


def say(command: list[str], cwd: Path) -> float:
    """Seconds that a command takes."""
    begin = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)
    return time.perf_counter() - begin


def flushed() -> None:
    """What earlier work left to be written is on disk before the next is timed."""
    os.sync()


def timed(command: list[str], cwd: Path, times: int = 1) -> float:
    """The median of several; after a flush, so that each starts alike."""
    took = []
    for _ in range(times):
        flushed()
        took.append(say(command, cwd))
    return median(took)


def _small(place: Place) -> Iterator[Row]:
    original = place.folder / "small"
    _fill(original, SMALL, SMALL_BYTES)
    lfs = shutil.which("git-lfs") is not None
    bound = f"read and hash alone: {_read_all(original):.2f} s"
    ours, copied, linked, in_lfs = place.new(original), place.with_dvc(original, "copy"), place.with_dvc(original, "hardlink"), None
    us = timed([*TOWPATH, "data", "add"], ours)
    theirs = timed([place.dvc, "add", "--quiet", "things"], copied)
    found = {"dvc copy": theirs}
    if lfs:
        in_lfs = place.with_lfs(original)
        found["git-lfs"] = timed(["git", "add", "things"], in_lfs)
    yield _times(f"add {SMALL:,} files of 10 KB, first time, copied", us, found, 3, bound, theirs)

    link = place.new(original)
    us_linked, their_linked = timed([*TOWPATH, "data", "add", "--link"], link), timed([place.dvc, "add", "--quiet", "things"], linked)
    yield _times(f"add {SMALL:,} files of 10 KB, linked", us_linked, {"dvc hardlink": their_linked}, 3, bound, their_linked)

    say([*TOWPATH, "data", "status"], ours)  # marks of files that were too young to be trusted are learned
    status = timed([*TOWPATH, "data", "status"], ours, 7)
    their_status = timed([place.dvc, "status", "--quiet"], copied, 3)
    yield Row(
        work=f"status of {SMALL:,} files, nothing changed",
        ours=status,
        unit="s",
        peers={"dvc copy": their_status},
        bound=f"`towpath --help`: {timed([*TOWPATH, '--help'], ours, 5):.2f} s",
        goal="<= .25 s, 4 times faster than DVC",
        holds=status <= 0.25 and their_status >= 4 * status,
    )
    yield from _one_changed(place, ours, copied, in_lfs)
    yield from _check_out_small(place, ours, copied)


def _one_changed(place: Place, ours: Path, copied: Path, in_lfs: Path | None) -> Iterator[Row]:
    one = sorted(path for path in (ours / "things").rglob("*") if path.is_file())[SMALL // 2].relative_to(ours)
    before, theirs_before = _stored(ours / ".towpath/store"), _stored(copied / ".dvc/cache")
    us = _changed(ours, one, [*TOWPATH, "data", "add"])
    grew = (_stored(ours / ".towpath/store") - before) / CHANGES / 1e3
    theirs = _changed(copied, one, [place.dvc, "add", "--quiet", "things"])
    they_grew = (_stored(copied / ".dvc/cache") - theirs_before) / CHANGES / 1e3
    found = {"dvc copy": theirs}
    if in_lfs:
        found["git-lfs"] = _changed(in_lfs, one, ["git", "add", "things"])
    yield _times(f"add after one of {SMALL:,} files changed", us, found, 6, "", theirs)
    yield Row(
        work=f"bytes kept for one of {SMALL:,} files", ours=grew, unit="kB", peers={"dvc": they_grew}, goal="<= 20 kB", holds=grew <= 20
    )


def _changed(home: Path, one: Path, command: list[str]) -> float:
    """The median time that a command takes after one file changed, each time to something else."""
    took = []
    for number in range(CHANGES):
        (home / one).unlink()
        (home / one).write_bytes(b"another %d" % number)
        took.append(timed(command, home))
    return median(took)


def _check_out_small(place: Place, ours: Path, copied: Path) -> Iterator[Row]:
    for home in (ours, copied):
        shutil.rmtree(home / "things")
    us, theirs = timed([*TOWPATH, "data", "checkout"], ours), timed([place.dvc, "checkout", "--quiet"], copied)
    yield Row(
        work=f"check out {SMALL:,} files, copied", ours=us, unit="s", peers={"dvc copy": theirs}, goal="faster than DVC", holds=us < theirs
    )


def _large(place: Place) -> Iterator[Row]:
    original = place.folder / "large"
    _random_file(original, LARGE_BYTES)
    size = f"{LARGE_BYTES / (1 << 30):g} GB"
    ours, copied = place.new(original), place.with_dvc(original, "copy")
    copying = _copied(original, place.folder / "copy")
    (place.folder / "copy").unlink()
    us, theirs = timed([*TOWPATH, "data", "add"], ours), timed([place.dvc, "add", "--quiet", "things"], copied)
    found = {"dvc copy": theirs}
    if shutil.which("git-lfs"):
        in_lfs = place.with_lfs(original)
        found["git-lfs"] = timed(["git", "add", "things"], in_lfs)
        shutil.rmtree(in_lfs)
    yield _times(f"add a file of {size}", us, found, 3, f"cp: {copying:.2f} s", theirs)
    for home in (ours, copied):
        (home / "things").unlink()
    us, theirs = timed([*TOWPATH, "data", "checkout"], ours), timed([place.dvc, "checkout", "--quiet"], copied)
    yield Row(
        work=f"check out a file of {size}, copied",
        ours=us,
        unit="s",
        peers={"dvc copy": theirs},
        bound=f"cp: {copying:.2f} s",
        goal="<= 2.5 times cp",
        holds=us <= 2.5 * copying,
    )
    say([*TOWPATH, "data", "push"], ours)  # only what can be fetched again may be linked
    (ours / "things").unlink()
    linked = timed([*TOWPATH, "data", "checkout", "--link"], ours)
    yield Row(work=f"check out a file of {size}, linked", ours=linked, unit="s", goal="<= .2 s", holds=linked <= 0.2)


def _pushes(place: Place) -> Iterator[Row]:
    """How many bytes a push sends after a small change of a large table."""
    for form in ("csv", "parquet"):
        home = place.folder / f"push-{form}"
        home.mkdir()
        subprocess.run(["git", "init", "--quiet"], cwd=home, check=True)
        declare(home, f"things.{form}")
        tables.write(home / f"things.{form}", LARGE_BYTES)
        say([*TOWPATH, "data", "add"], home)
        say([*TOWPATH, "data", "push"], home)
        for change in (tables.append, tables.insert) if form == "csv" else (tables.append,):
            change(home / f"things.{form}", 0.01)
            say([*TOWPATH, "data", "add"], home)
            told = subprocess.run([*TOWPATH, "data", "push", "--json"], cwd=home, check=True, capture_output=True, text=True).stdout
            size = (home / f"things.{form}").stat().st_size
            share = 100 * json.loads(told)["sent"] / size
            where = "inserted in the middle" if change is tables.insert else "appended"
            what = f"bytes sent after 1 % was {where}, {size / 1e9:.1f} GB {form}"
            yield Row(work=what, ours=share, unit="%", peers={"dvc (the whole file)": 100.0}, goal="<= 3 %", holds=share <= 3)
        shutil.rmtree(home)


def _many(place: Place) -> Iterator[Row]:
    """A million files: what an addition and a status take, and how much memory."""
    original = place.folder / "many"
    _fill(original, MANY, MANY_BYTES)
    home = place.folder / "of-many"
    home.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=home, check=True)
    original.rename(home / "things")
    declare(home, "things")
    added, peak = _measured([*TOWPATH, "data", "add"], home)
    say([*TOWPATH, "data", "status"], home)
    asked, peak_asked = _measured([*TOWPATH, "data", "status"], home)
    most = max(peak, peak_asked)
    yield Row(work=f"add {MANY:,} files of {MANY_BYTES} B", ours=added, unit="s", goal="recorded")
    yield Row(work=f"status of {MANY:,} files", ours=asked, unit="s", goal="recorded")
    yield Row(work=f"memory for {MANY:,} files", ours=most, unit="MB", goal="< 1,500 MB", holds=most < 1500)


MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _measured(command: list[str], cwd: Path) -> tuple[float, float]:
    """Seconds and the most memory, in MB, that a command took; started by a small process, as a child begins with its parent's memory."""
    flushed()
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", MEASURE, *command], cwd=cwd, check=True, capture_output=True, text=True)
    return time.perf_counter() - begin, int(done.stdout) / 1e3


def _times(work: str, ours: float, found: dict[str, float], times: float, bound: str, against: float) -> Row:
    goal = f"{times:g} times faster than {next(iter(found))}"
    return Row(work=work, ours=ours, unit="s", peers=found, bound=bound, goal=goal, holds=against >= times * ours)


def _fill(folder: Path, files: int, size: int) -> None:
    made = random.Random(0)
    for number in range(files):
        path = folder / f"{number % 200:03}" / f"{number:07}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.randbytes(size))


def _random_file(path: Path, size: int) -> None:
    made = random.Random(0)
    with path.open("wb") as file:
        for _ in range(size >> 24):
            file.write(made.randbytes(1 << 24))


def _read_all(folder: Path) -> float:
    """The floor: reading and hashing, nothing kept."""
    begin = time.perf_counter()
    for path in folder.rglob("*.bin"):
        of_file(path)
    return time.perf_counter() - begin


def _copied(source: Path, target: Path) -> float:
    flushed()
    return say(["cp", str(source), str(target)], source.parent)


def _stored(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    raise SystemExit(main("data", rows))
