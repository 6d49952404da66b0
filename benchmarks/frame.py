"""What all benchmarks share: a row, and how rows are printed."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from statistics import median

from towpath import __version__


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure. ``peers`` are others' figures for the same work, in the same unit, on this machine.

    ``bound`` is what bounds it physically or by others' doing (a Python start, an fsync), ``goal`` what we promise; both are
    words for people. ``holds`` is whether the goal is met.
    """

    work: str
    ours: float
    unit: str
    peers: dict[str, float] = field(default_factory=dict)
    bound: str = ""
    goal: str = ""
    holds: bool = True


def main(name: str, rows: Callable[[], Iterable[Row]]) -> int:
    """Run one benchmark from the command line. The exit code is 1 when a goal is not met."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("--json", action="store_true", help="print a JSON list of rows")
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once, not each time that it is timed
    measured = []
    for row in rows():
        print(f"{row.work}: {short(row.ours)} {row.unit}", file=sys.stderr)
        measured.append(row)
    print(json.dumps([asdict(row) for row in measured]) if asked.json else table(name, measured))
    return 0 if all(row.holds for row in measured) else 1


def table(name: str, rows: Iterable[Row]) -> str:
    """Rows as text, under a line that says when and on what they were measured."""
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = f"{name}: {when}, towpath {__version__}, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    cells = [("", "work", "ours", "unit", "peers", "bound", "goal")]
    for row in rows:
        peers = ", ".join(f"{peer} {short(figure)}" for peer, figure in row.peers.items())
        cells.append(("ok" if row.holds else "NOT", row.work, short(row.ours), row.unit, peers, row.bound, row.goal))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([head, *lines])


def short(figure: float) -> str:
    """A figure with the digits that matter."""
    return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.4g}"


def seconds_of(command: list[str], times: int = 15) -> float:
    """The median wall time of a whole process."""
    return median(_once(command) for _ in range(times))


def _once(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin
