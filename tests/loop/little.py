"""A small real project: a repository, two months of rides as Parquet, a pipeline of plain functions."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from towpath import wiring
from towpath.events import AnyEvent, EnvironmentJudged, RunEnded
from towpath.hands import Hands
from towpath.loop import Loop
from towpath.project_file import load
from towpath.run import run
from towpath.state import State
from towpath.verdict import Answer, Verdict
from towpath.world import World

YAML = """\
name: little
data:
  rides:
    path: data/*.parquet
    time: time
    checks: {columns: {distance: {type: number, min: 0}}}
pipeline: pipeline.py
model:
  task: binary
  rows: rows
  features: features
  train: model
  label: late
split: {test: {random: 30%}}
gates: [auc >= baseline + 0.1, auc >= champion - 0.1, parity <= 1e-4]
environments:
  staging: {check: [golden_rows]}
  production: {release: {shadow: 20, canary: [50%]}}
monitor: {drift: null}
retrain: {when: [new_rows 20%], cooldown: 0s, limit: 100/day}
"""
PIPELINE = """\
import polars as pl
from sklearn.linear_model import LogisticRegression

from scaling import scaled


def rows(rides: pl.DataFrame) -> pl.DataFrame:
    return rides.drop_nulls("distance")


def features(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(distance=scaled(pl.col("distance")), hour=pl.col("hour").cast(pl.Float64))


def model(train: pl.DataFrame, *, c: float = 1.0):
    return LogisticRegression(C=c).fit(train.drop("late").to_numpy(), train["late"].to_numpy())
"""
SCALING = """\
import polars as pl


def scaled(column: pl.Expr) -> pl.Expr:
    return column / 10


def unused(column: pl.Expr) -> pl.Expr:
    return column
"""
ENVIRON = {**os.environ, "OMP_NUM_THREADS": "1"}


def rides(month: int, count: int = 1000, *, seed: int = 0) -> pl.DataFrame:
    """The rides of a month of 2024: the farther and the nearer to five o'clock, the later."""
    random = np.random.default_rng([seed, month])
    start, end = pl.datetime(2024, month, 1), pl.datetime(2024, month, 28)
    distance, hour = random.gamma(2.0, 5.0, count).round(2), random.integers(0, 24, count)
    odds = 0.25 * (distance - 10) - 0.2 * np.abs(hour - 17) + 1
    return pl.DataFrame(
        {
            "time": pl.datetime_range(start, end, eager=True, interval="30m")[:count] if count <= 1297 else None,
            "zone": random.choice(["north", "south", "west"], count),
            "distance": distance,
            "hour": hour,
            "late": random.random(count) < 1 / (1 + np.exp(-odds)),
        }
    )


def git(root: Path, *words: str) -> str:
    """One Git command in the project."""
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def commit(root: Path, **files: str) -> str:
    """Write files (``name`` is ``name.py``, ``towpath`` the project's own) and commit them; the commit."""
    for name, text in files.items():
        (root / (f"{name}.yaml" if name == "towpath" else f"{name}.py")).write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "a change")
    return git(root, "rev-parse", "HEAD")


def deliver(root: Path, month: int, frame: pl.DataFrame | None = None) -> Path:
    """A month's file arrives."""
    file = root / "data" / f"2024-{month:02d}.parquet"
    file.parent.mkdir(exist_ok=True)
    (rides(month) if frame is None else frame).write_parquet(file)
    return file


def make(root: Path, *, towpath: str = YAML, pipeline: str = PIPELINE, months: int = 2) -> Path:
    """The whole project, committed, with its data beside it."""
    root.mkdir(exist_ok=True)
    git(root, "init", "--quiet")
    (root / ".gitignore").write_text(".towpath/\ndata/\n__pycache__/\n")
    commit(root, towpath=towpath, pipeline=pipeline, scaling=SCALING)
    for month in range(1, months + 1):
        deliver(root, month)
    return root


def prepared(root: Path, prepare: Callable[[Path], object], towpath: str = YAML) -> Path:
    """The project as ``prepare`` leaves it, which is done once a process and copied for each test: a run takes seconds."""
    shutil.copytree(_prepared(prepare, towpath), root, symlinks=True, dirs_exist_ok=True)
    return root


@cache
def _prepared(prepare: Callable[[Path], object], towpath: str) -> Path:
    folder = Path(_templates.name) / str(len(list(Path(_templates.name).iterdir())))
    prepare(make(folder, towpath=towpath))
    return folder


_templates = TemporaryDirectory(prefix="little-")  # goes when the process ends


def world(root: Path) -> World:
    """The project's world as a new process would open it."""
    inside = {key: value for key, value in os.environ.items() if key != "TOWPATH_HOME"}
    return wiring.world(load(root, inside))


def ran(root: Path) -> RunEnded:
    """One run by hand, in this process."""
    return run(world(root), ENVIRON)


def events(root: Path, *kinds: type) -> list[AnyEvent]:
    """The ledger's events, of some kinds."""
    return [record.entry.event for record in world(root).ledger.read() if not kinds or isinstance(record.entry.event, kinds)]


class Idle(Hands):
    """Hands that start nothing: what a controller decides is the matter, not what its children do."""

    def __init__(self) -> None:
        self.asked: list[State] = []

    def act(self, state: State) -> None:
        self.asked.append(state)

    def busy(self) -> tuple[str, ...]:
        return ()


def end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End what a test started."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(20)


def staged(root: Path, number: int) -> None:
    """The fact that staging found nothing wrong with a version; the check itself is tested with real processes."""
    here = world(root)
    digest = here.state().registry.version(number).digest
    agree = Verdict(gate="golden_rows", answer=Answer.PASS, because="they agree")
    here.tell(EnvironmentJudged(environment="staging", version=number, digest=digest, verdicts=(agree,)))


def loop(root: Path, hands: Hands | None = None) -> Loop:
    """A loop as a new process would make it, on the project's real ledger, store and journal."""
    return wiring.loop(world(root), hands or Idle())


def live(root: Path) -> None:
    """The next run's version serves production."""
    number = ran(root).version
    assert number is not None
    staged(root, number)
    loop(root).turn()
    assert world(root).state().live.champion("production") == number


def waiting(root: Path) -> None:
    """Version 1 serves production, version 2 stands in staging."""
    live(root)
    commit(root, scaling=SCALING.replace("column / 10", "column / 12"))
    assert ran(root).version == 2
    staged(root, 2)
