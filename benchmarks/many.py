"""A million small files: what an addition and a status take in all, what a file takes beside one of 20,000 such, and how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.frame import Row
from benchmarks.places import TOWPATH, Place, declare, fill, flushed, say

MANY, FEW, BYTES = int(os.environ.get("BENCH_MANY", 1_000_000)), 20_000, 100
TIMES = 3  # of the few, whose commands are short
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Took(NamedTuple):
    """Seconds of an addition and of a status, and the most memory of the two, in MB."""

    added: float
    asked: float
    memory: float


def rows(place: Place) -> Iterator[Row]:
    """In seconds, in microseconds a file, and in bytes."""
    few = [_took(place, f"few-{number}", FEW) for number in range(TIMES)]
    many = _took(place, "many", MANY)
    yield Row(work=f"add {MANY:,} files of {BYTES} B", ours=many.added, unit="s", goal="recorded")
    yield Row(work=f"status of {MANY:,} files", ours=many.asked, unit="s", goal="recorded")
    yield _a_file(f"add one of {MANY:,} files of {BYTES} B", many.added, median(took.added for took in few))
    yield _a_file(f"status of one of {MANY:,} files", many.asked, median(took.asked for took in few))
    yield Row(work=f"memory for {MANY:,} files", ours=many.memory, unit="MB", goal="< 1,500 MB", holds=many.memory < 1500)


def _a_file(work: str, many: float, few: float) -> Row:
    ours, theirs = 1e6 * many / MANY, 1e6 * few / FEW
    bound = f"one of {FEW:,}: {theirs:.3g} us"
    return Row(work=work, ours=ours, unit="us", bound=bound, goal=f"<= 2 times one of {FEW:,}", holds=ours <= 2 * theirs)


def _took(place: Place, name: str, files: int) -> Took:
    home = place.folder / name
    home.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=home, check=True)
    fill(home / "things", files, BYTES)
    declare(home, "things")
    added, peak = _measured([*TOWPATH, "data", "add"], home)
    say([*TOWPATH, "data", "status"], home)  # marks of files that were too young to be trusted are learned
    asked, peak_asked = _measured([*TOWPATH, "data", "status"], home)
    return Took(added, asked, max(peak, peak_asked))


def _measured(command: list[str], cwd: Path) -> tuple[float, float]:
    """Seconds and the most memory, in MB, that a command took; started by a small process, as a child begins with its parent's memory."""
    flushed()
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", MEASURE, *command], cwd=cwd, check=True, capture_output=True, text=True)
    return time.perf_counter() - begin, int(done.stdout) / 1e3
