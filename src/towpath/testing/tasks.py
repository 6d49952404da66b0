"""Tasks for the suite of executors: a tree of code whose steps do all that a step may do, and a bench to execute them on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from towpath.pipeline.codecs import give, keep
from towpath.pipeline.executor import Done, Executor, Resources, Task
from towpath.pipeline.values import Value
from towpath.pipeline.work import Call
from towpath.store import Store

OpenStore = Callable[[], Store]
OpenExecutor = Callable[[int], Executor]
PIPELINE = """
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl


def table():
    return pl.DataFrame({"port": ["EWR", None], "late": [0.5, float("nan")]})


def lazy(table: pl.LazyFrame):
    return table.filter(pl.col("port") == "EWR")


def counted(table: pd.DataFrame):
    return {"rows": len(table)}


def text():
    return "lock \\ud800"


def array():
    return np.arange(6.0).reshape(2, 3)


def pair():
    return (1, {2})


def drawn():
    return [random.random(), float(np.random.rand())]


def files():
    folder = Path(f"/tmp/towpath-contract-{os.getpid()}")
    folder.mkdir(exist_ok=True)
    (folder / "one.txt").write_text("one")
    return folder


def read(files: Path):
    return {one.name: one.read_text() for one in files.iterdir()}


def raises():
    raise ConnectionResetError("the wire is cut")


def leaves():
    sys.exit(3)


def hungry():
    return bytearray(1 << 60)


def nothing():
    return None


def marks(place):
    Path(place, "was here").touch()
    return 1


def meets(place, me, other):
    Path(place, me).touch()
    until = time.monotonic() + 30
    while not Path(place, other).exists():
        assert time.monotonic() < until, f"{other} never came"
        time.sleep(0.01)
    return me


def dies():
    os.kill(os.getpid(), 9)


def exits():
    os._exit(3)


def lingers(place):
    child = subprocess.Popen(["sleep", "600"])
    Path(place, "pids.new").write_text(f"{os.getpid()} {child.pid}")
    Path(place, "pids.new").rename(Path(place, "pids"))
    time.sleep(600)


def prints():
    print("by Python", flush=True)
    subprocess.run(["sh", "-c", "echo by a child; echo as a fault >&2"], check=True)
    return 1


def grows():
    blocks = []
    for _ in range(60):
        blocks.append(b"x" * 10_000_000)
    return len(blocks)


def sees():
    return os.environ["CUDA_VISIBLE_DEVICES"]


def ordered():
    return list({"lock", "gate", "barge", "towpath", "sluice"})
"""


class Bench:
    """A tree of code, a store, and executors on it that are closed at the end."""

    def __init__(self, folder: Path, open_store: OpenStore, open_executor: OpenExecutor) -> None:
        self.folder, self.open_store, self._open = folder, open_store, open_executor
        self.store = open_store()
        self._stack = ExitStack()
        self.place = folder / "place"
        for one in (self.place, folder / "tree", folder / "logs"):
            one.mkdir()
        (folder / "tree/pipeline.py").write_text(PIPELINE)

    def executor(self, cores: int = 1) -> Executor:
        """A new one."""
        executor = self._open(cores)
        self._stack.callback(executor.close)
        return executor

    def task(self, step: str, *, timeout_s: float | None = None, needs: Resources | None = None, **given: Any) -> Task:
        """A task whose inputs are ``given``, each put into the store where it is no Value yet."""
        inputs = {name: one if isinstance(one, Value) else keep(one, self.store, step=name) for name, one in given.items()}
        return Task(
            step=step,
            work=Call(step),
            tree=str(self.folder / "tree"),
            pipeline="pipeline.py",
            inputs=inputs,
            parameters={},
            seed=7,
            libraries=("numpy",),
            log=str(self.folder / "logs" / f"{step}.log"),
            timeout_s=timeout_s,
            needs=needs or Resources(),
        )

    def meeting(self, me: str, other: str) -> Task:
        """A task that ends only when the other one executes as well."""
        return replace(self.task("meets", place=str(self.place), me=me, other=other), step=me, log=str(self.folder / "logs" / me))

    def ends(self, *tasks: Task) -> list[Done]:
        """The ends of tasks in an executor of their own, which may work on all of them at once."""
        executor = self.executor(len(tasks))
        for task in tasks:
            executor.submit(task)
        return waited(executor, len(tasks))

    def end(self, step: str, **given: Any) -> Done:
        """The end of one task, in an executor of its own."""
        (done,) = self.ends(self.task(step, **given))
        return done

    def made(self, step: str, **given: Any) -> Value:
        """The value that a step makes."""
        done = self.end(step, **given)
        if done.value is None:
            raise AssertionError(done.fault)
        return done.value

    def got(self, value: Value) -> Any:
        """A value as the next step would get it, from a store that is opened anew."""
        with ExitStack() as stack:
            found = give(value, self.open_store(), self.folder / "lent", stack)
            return {file.name: file.read_bytes() for file in found.iterdir()} if isinstance(found, Path) else found

    def close(self) -> None:
        """Close every executor."""
        self._stack.close()


def waited(executor: Executor, count: int) -> list[Done]:
    """So many ends."""
    ends: list[Done] = []
    while len(ends) < count:
        ends += executor.wait()
    return ends
