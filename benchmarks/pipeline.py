"""Pipelines: cold, nothing changed, one step changed, a helper edited; whole processes beside others on the same chain of steps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

from benchmarks import pipelines
from benchmarks.frame import Row, main
from benchmarks.pipelines import HELPER, Tool, change, place

PROGRAM = str(Path(sys.executable).with_name("towpath"))
TIMES, QUICK_S = 5, 2.0  # what takes less than this is timed so often; the rest once
MANY, WIDE = 1000, 8
FLIGHTS = Path("examples/flights")


def rows() -> Iterator[Row]:
    """Measured in a folder beside this one, so that the disk is the one that a project would lie on."""
    tools = {
        "Hamilton": pipelines.hamilton(),
        "DVC": pipelines.dvc(),
        "Snakemake": pipelines.snakemake(),
        "Metaflow": pipelines.metaflow(),
        "Prefect": pipelines.prefect(),
    }
    with tempfile.TemporaryDirectory(dir=Path.cwd() / "build") as folder:
        for count in (10, 50):
            yield from _chain(Path(folder), pipelines.ours(PROGRAM), tools, count)
        yield from _many(Path(folder) / "many")
        yield _flights(Path(folder) / "flights")
        yield _edited(Path(folder), {"ours": pipelines.ours(PROGRAM), **tools})


def _chain(folder: Path, our: Tool, tools: Mapping[str, Tool], count: int) -> Iterator[Row]:
    us = _figures(folder / "ours", our, count)
    them = {name: _figures(folder / name, tool, count) for name, tool in tools.items()}
    cold, same, changed = ({name: found[at] for name, found in them.items() if at in found} for at in ("cold", "same", "changed"))
    yield Row(
        work=f"{count} steps of 1 MiB, cold",
        ours=us["cold"],
        unit="s",
        peers=cold,
        goal="5 times faster than DVC, no slower than Hamilton",
        holds=cold["DVC"] >= 5 * us["cold"] and us["cold"] <= cold["Hamilton"],
    )
    yield Row(
        work=f"{count} steps, nothing changed",
        ours=us["same"],
        unit="s",
        peers=same,
        goal="<= .25 s, 2.5 times faster than DVC and Snakemake, faster than Hamilton" if count == 50 else "",
        holds=count != 50
        or (us["same"] <= 0.25 and min(same["DVC"], same["Snakemake"]) >= 2.5 * us["same"] and us["same"] < same["Hamilton"]),
    )
    yield Row(
        work=f"step 5 of {count} changed",
        ours=us["changed"],
        unit="s",
        peers=changed,
        goal="faster than every peer",
        holds=us["changed"] < min(changed.values()),
    )


def _figures(home: Path, tool: Tool, count: int) -> dict[str, float]:
    """Seconds of a tool: cold; and where it has a cache, with nothing changed, and with another step 5."""
    print(f"{home.name}: {count} steps", file=sys.stderr)
    found = {"cold": _timed(tool, home, lambda number: place(home, tool, count))}
    if tool.caches:
        found["same"] = _timed(tool, home, lambda number: None)
        found["changed"] = _timed(tool, home, lambda number: change(home, tool, count, 100 + number))
    return found


def _timed(tool: Tool, home: Path, prepare: Callable[[int], object]) -> float:
    """The median time of its command, each time after ``prepare`` with another number."""
    took: list[float] = []
    while not took or (took[0] < QUICK_S and len(took) < TIMES):
        prepare(len(took))
        begin = time.perf_counter()
        say(tool, home)
        took.append(time.perf_counter() - begin)
    return median(took)


def say(tool: Tool, home: Path) -> str:
    """What its command prints. Raises CalledProcessError."""
    environ = {**os.environ, **tool.environ}
    return subprocess.run(tool.command, cwd=home, check=True, capture_output=True, text=True, env=environ).stdout


def _many(home: Path) -> Iterator[Row]:
    """A thousand steps that do nothing, eight wide: what one costs."""
    lines = (f"\n\ndef s{n}(s{max(0, n - WIDE)}):\n    return s{max(0, n - WIDE)} + {n}\n" for n in range(1, MANY))
    wanted = ", ".join(f"s{n}: {{}}" for n in range(MANY - WIDE, MANY))
    files = {
        "pipeline.py": "def s0():\n    return 0\n" + "".join(lines),
        "towpath.yaml": f"name: many\npipeline: pipeline.py\nsteps: {{{wanted}}}\n",
    }
    tool = Tool(lambda count, fifth: {**files, ".gitignore": ".towpath\n"}, [PROGRAM, "run"], git=True)
    cold = _timed(tool, home, lambda number: place(home, tool, MANY))
    yield Row(
        work=f"{MANY:,} steps, {WIDE} wide, cold: each",
        ours=cold / MANY * 1e3,
        unit="ms",
        goal="< 3 ms",
        holds=cold / MANY < 0.003,
    )
    same = _timed(tool, home, lambda number: None)
    yield Row(work=f"{MANY:,} steps, nothing changed", ours=same, unit="s", goal="<= .7 s", holds=same <= 0.7)


def _flights(home: Path) -> Row:
    """The example of a year of flights: run, and run again."""
    subprocess.run(["make", str(FLIGHTS / "data/prepared")], check=True, stdout=sys.stderr)
    shutil.copytree(FLIGHTS, home, ignore=shutil.ignore_patterns(".towpath", "__pycache__"))
    (home / ".gitignore").write_text(".towpath\ndata\n__pycache__\n")
    pipelines.commit(home)
    tool = Tool(lambda count, fifth: {}, [PROGRAM, "run"])
    first = _timed(tool, home, lambda number: None)
    print(f"flights: the first run took {first:.1f} s", file=sys.stderr)
    same = _timed(tool, home, lambda number: None)
    return Row(work="flights, a year of data: nothing changed", ours=same, unit="s", goal="<= .6 s", holds=same <= 0.6)


def _edited(folder: Path, tools: Mapping[str, Tool]) -> Row:
    """A function in another module is edited: 1 where what comes out is right, 0 where it is the old value."""
    right = {}
    for name, tool in tools.items():
        if not tool.caches or tool.result is None:
            continue
        home = place(folder / f"edited-{name}", tool, 4)
        say(tool, home)
        (home / "helper.py").write_text(HELPER.replace("number % 251", "(number + 7) % 251"))
        said = say(tool, home)
        right[name] = float(tool.result(home, said) == bytes([7, 8, 9, 10]))
    ours = right.pop("ours")
    return Row(
        work="a helper in another module edited: the right answer", ours=ours, unit="1 = yes", peers=right, goal="1", holds=ours == 1
    )


if __name__ == "__main__":
    sys.exit(main("pipeline", rows))
