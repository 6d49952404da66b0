"""Steps as tasks of a Ray cluster. The project's code and what steps take get to its nodes through the store."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from math import inf
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from towpath.clock import machine_s
from towpath.executors.alike import Surroundings, around
from towpath.executors.carrying import Carrier
from towpath.executors.cluster import Connection, first_line
from towpath.executors.machine import fits, fitting
from towpath.executors.node import Answer, Asked, Home, pack, performed
from towpath.executors.process import late
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.executor import Done, Fault, Resources, Task
from towpath.pipeline.values import Value
from towpath.pipeline.work import Call
from towpath.store import Store

TRIES = 3  # after a node died under a task; what a step itself does wrong is not tried again


class RayExecutor:
    """Ray chooses the node. A node that dies takes nothing with it but time: its tasks begin again on another.

    Every node needs Python and libraries as they are here, and the project's store: at ``home.remote``, or in a folder that all mount.
    Of ``address``, see Connection.
    """

    def __init__(self, home: Home, store: Store, address: str = "auto") -> None:
        self._home, self._store = home, store
        self._connection = Connection(address)
        self._ray = self._connection.ray
        self._busy: dict[Any, Task] = {}
        self._until: dict[Any, float] = {}  # of those that have a limit here, on the machine's clock
        self._trees: dict[str, Value] = {}
        self._code: dict[str, Code] = {}
        self._carrier = Carrier(Path(home.root), Path(home.home), home.remote) if home.remote else None

    @property
    def has(self) -> Resources:
        """The most that a node has of each."""
        return Resources(
            cpus=max((one.cpus for one in self._nodes), default=0.0),
            memory=max((one.memory for one in self._nodes), default=0),
            gpus=max((one.gpus for one in self._nodes), default=0),
        )

    def places(self, needs: Resources) -> int:
        return sum(fitting(needs, one) for one in self._nodes)

    def room(self, needs: Resources) -> bool:
        every = self._nodes
        total = Resources(cpus=sum(one.cpus for one in every), memory=sum(one.memory for one in every), gpus=sum(one.gpus for one in every))
        return any(fits(needs, one) for one in every) and fits(needs, total, (task.needs for task in self._busy.values()))

    def submit(self, task: Task) -> None:
        needs, tree = task.needs, self._tree(task.tree)
        many = isinstance(task.work, Call) and task.work.workers > 0
        if many:
            needs = Resources(cpus=0)  # it waits for its workers, which have theirs
        if self._carrier:
            self._carrier.send([tree, *task.inputs.values()])
        work = import_module("towpath.executors.ray_train").performed_by_many if many else performed
        ask = self._ray.remote(work).options(
            name=task.step, num_cpus=needs.cpus, num_gpus=needs.gpus, memory=needs.memory or None, max_retries=TRIES
        )
        ref = ask.remote(msgspec.msgpack.encode(Asked(self._home, tree, task, self._around(task))))
        self._busy[ref] = task
        if many and task.timeout_s:  # of any other, the node sees to that
            self._until[ref] = machine_s() + task.timeout_s

    def wait(self, patience_s: float = inf) -> list[Done]:
        soonest = min(self._until.values(), default=inf) - machine_s()
        ended = self._connection.ended(list(self._busy), min(patience_s, max(0.0, soonest)))
        overdue = [ref for ref, until in self._until.items() if until <= machine_s() and ref not in ended]
        self._connection.end(overdue)
        self.__dict__.pop("_nodes", None)  # some may have come or gone meanwhile
        for ref in (*ended, *overdue):
            self._until.pop(ref, None)
        return [self._ended(ref, self._busy.pop(ref)) for ref in ended] + [_late(self._busy.pop(ref)) for ref in overdue]

    def sync(self) -> None:
        """Each node made durable what it made before it told its end."""

    def close(self) -> None:
        self._connection.end(list(self._busy))
        self._busy.clear()
        self._until.clear()
        self._connection.close()

    @cached_property
    def _nodes(self) -> list[Resources]:
        found = [one["Resources"] for one in self._ray.nodes() if one["Alive"]]
        return [Resources(cpus=one.get("CPU", 0.0), memory=int(one.get("memory", 0)), gpus=int(one.get("GPU", 0))) for one in found]

    def _tree(self, tree: str) -> Value:
        if tree not in self._trees:
            packed = self._store.put(pack(Path(tree)))
            self._trees[tree] = Value("bytes", packed, packed)
        return self._trees[tree]

    def _around(self, task: Task) -> Surroundings:
        if task.tree not in self._code:
            self._code[task.tree] = Code(Path(task.tree), task.pipeline)
        return around(task.work, self._code[task.tree])

    def _ended(self, ref: Any, task: Task) -> Done:
        try:
            answer = msgspec.msgpack.decode(self._ray.get(ref), type=Answer)
        except self._ray.exceptions.RayError as fault:
            return Done(step=task.step, seconds=0.0, fault=_lost(task, fault))
        if answer.log and task.log:
            with open(task.log, "ab") as log:
                log.write(answer.log)
        return replace(answer.done, step=task.step)


def _late(task: Task) -> Done:
    return Done(step=task.step, seconds=task.timeout_s or 0.0, fault=late(task))


def _lost(task: Task, fault: Exception) -> Fault:
    return Fault(
        what=f"step {task.step!r} was lost in the cluster: {type(fault).__name__}: {first_line(fault)}",
        mend="look at the nodes (`ray status`, Ray's dashboard): they died, or their memory ran out",
        kinds=tuple(one.__name__ for one in type(fault).__mro__),
    )
