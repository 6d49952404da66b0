"""Steps in this process, one after another: for a notebook, and for tests."""

from __future__ import annotations

import sys
from math import inf
from pathlib import Path

from towpath.pipeline.executor import Done, Resources, Task
from towpath.pipeline.perform import perform
from towpath.store import Store


class InlineExecutor:
    """Performs a task when it is waited for, whatever it needs. Files are lent below ``place``."""

    has = Resources(cpus=float("inf"), memory=sys.maxsize, gpus=sys.maxsize)

    def __init__(self, store: Store, place: Path) -> None:
        self._store, self._place = store, place
        self._tasks: list[Task] = []

    def places(self, needs: Resources) -> int:
        return 1

    def room(self, needs: Resources) -> bool:
        return not self._tasks

    def submit(self, task: Task) -> None:
        self._tasks.append(task)

    def wait(self, patience_s: float = inf) -> list[Done]:
        return [perform(self._tasks.pop(0), self._store, self._place)] if self._tasks else []

    def sync(self) -> None:
        self._store.sync()

    def close(self) -> None:
        self._tasks.clear()
