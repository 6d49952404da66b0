"""Folds of a search as tasks of a Ray cluster."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from towpath.executors.cluster import Connection, first_line
from towpath.executors.node import pack, unpack
from towpath.search.crews import measured
from towpath.search.port import Measured, Objective, Task

TRIES = 1  # after a worker or its node died


class RayCrew:
    """Any node measures any fold. The objective goes to a node once, with the code that lies in its ``tree``, if it has one.

    Of ``address``, see Connection.
    """

    def __init__(self, objective: Objective, slots: int, address: str = "auto") -> None:
        self.slots = slots
        self._connection = Connection(address)
        tree = getattr(objective, "tree", "")
        self._objective = self._connection.ray.put((objective, pack(Path(tree)) if tree else b""))
        self._busy: dict[Any, Task] = {}

    def submit(self, task: Task) -> None:
        ask = self._connection.ray.remote(_measured).options(name=f"trial {task.trial.number}", num_cpus=1, max_retries=TRIES)
        self._busy[ask.remote([self._objective], task)] = task  # in a list: so it is not copied for each task

    def wait(self) -> list[Measured]:
        return [self._ended(ref, self._busy.pop(ref)) for ref in self._connection.ended(list(self._busy))]

    def close(self) -> None:
        self._connection.end(list(self._busy))
        self._busy.clear()
        self._connection.close()

    def _ended(self, ref: Any, task: Task) -> Measured:
        try:
            found: Measured = self._connection.ray.get(ref)
        except self._connection.ray.exceptions.RayError as fault:
            return Measured(
                task=task, fault=f"fold {task.fold}: its process in the cluster ended: {type(fault).__name__}: {first_line(fault)}"
            )
        return found


def _measured(objective: list[Any], task: Task) -> Measured:
    return measured(_here(objective[0]), task)


@cache
def _here(ref: Any) -> Objective:
    """The objective in this process of a node, with its code."""
    objective, tree = Connection().ray.get(ref)
    if tree:
        folder = Path(tempfile.mkdtemp(prefix="towpath-tree-"))
        unpack(tree, folder)
        objective = replace(objective, tree=str(folder))
    found: Objective = objective
    return found
