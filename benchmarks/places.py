"""Where versions of data are measured: folders with the same files, one a tool, and commands that are timed as a whole."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

TOWPATH = [str(Path(sys.executable).with_name("towpath"))]
LARGE_BYTES = int(os.environ.get("BENCH_LARGE_BYTES", 2 << 30))
YAML = "name: bench\nremote: {remote}\ndata: {{things: {things}}}\nmodel: {{task: binary, rows: things, label: x}}\n"


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
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    took = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"`{' '.join(command)}` failed in {cwd}: {done.stderr.strip() or done.stdout.strip()}")
    return took


def flushed() -> None:
    """What earlier work left to be written is on disk before the next is timed."""
    os.sync()


def in_memory(folder: Path) -> None:
    """Let the system have every file of a folder in memory, so that no tool waits for the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.read_bytes()


def out_of_memory(folder: Path) -> None:
    """Let the system forget the bytes of every file of a folder, so that each tool must bring them from the disk."""
    flushed()  # what still waits to be written cannot be forgotten
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def timed(command: list[str], cwd: Path, times: int = 1) -> float:
    """The median of several; after a flush, so that each starts alike."""
    took = []
    for _ in range(times):
        flushed()
        took.append(say(command, cwd))
    return median(took)


def fill(folder: Path, files: int, size: int) -> None:
    """Files of random bytes, in 200 folders."""
    made = random.Random(0)
    for number in range(files):
        path = folder / f"{number % 200:03}" / f"{number:07}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.randbytes(size))


def stored(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
