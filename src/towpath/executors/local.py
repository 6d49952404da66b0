"""Steps in worker processes on this machine: each imports the project's code once, and dies with this process."""

from __future__ import annotations

import selectors
import sys
from collections.abc import Mapping
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from towpath.clock import machine_s
from towpath.errors import Unavailable
from towpath.executors.container import Containers, program
from towpath.executors.machine import fits, fitting, gpus, machine
from towpath.executors.process import Worker
from towpath.executors.wire import SYNC
from towpath.pipeline.executor import Done, Fault, Resources, Task
from towpath.store.transfer import everything


class Place(Protocol):
    """Where a project's code and state lie, such as a Project says it."""

    @property
    def root(self) -> Path | str: ...

    @property
    def home(self) -> Path | str: ...

    @property
    def remote(self) -> str | None: ...


class LocalExecutor:
    """Workers are begun when there is work for them. A task with a limit of memory, or with GPUs, has one of its own.

    Args:
        slots: how many tasks at once that ask for one core; as many as there are cores when left out.
    """

    def __init__(self, place: Place, environ: Mapping[str, str], *, slots: int | None = None) -> None:
        self._place = place
        self._environ = {"PYTHONHASHSEED": "0", **environ}  # a set of texts has one order, so that the same step makes the same
        here = machine(environ)
        self.has = replace(here, cpus=slots) if slots else here
        self._new: list[Worker] = []  # nobody waits for these: they have made nothing
        self._idle: list[Worker] = []
        self._busy: dict[int, Worker] = {}
        self._selector = selectors.DefaultSelector()

    def is_of(self, place: Place) -> bool:
        """Whether its workers are of a project that lies there, and reads what that project's remote has."""
        return (self._place.root, self._place.home, self._place.remote) == (place.root, place.home, place.remote)

    def warm(self) -> None:
        """Begin a worker, so that the first task need not wait for it."""
        self._new.append(self._added(Worker(self._command(), self._environ)))

    def places(self, needs: Resources) -> int:
        return fitting(needs, self.has)

    def room(self, needs: Resources) -> bool:
        return fits(needs, self.has, (worker.task.needs for worker in self._busy.values()))

    def submit(self, task: Task) -> None:
        idle = next((one for one in self._idle if one.image == task.image and not _is_alone(task)), None)
        if idle:
            self._idle.remove(idle)
        elif self._new and not task.image and not _is_alone(task):
            idle = self._new.pop()
        worker = idle or self._begun(task)
        worker.begin(task)
        self._busy[worker.answers] = worker

    def wait(self, patience_s: float = inf) -> list[Done]:
        ended: list[Done] = []
        end = machine_s() + patience_s
        while self._busy and not ended:
            until = min(end, *(worker.until for worker in self._busy.values()))
            found = self._selector.select(None if until == inf else max(0.0, until - machine_s()))
            answered = [key.fd for key, _ in found if key.fd in self._busy]
            late = [fd for fd, worker in self._busy.items() if worker.until <= machine_s() and fd not in answered]
            ended = [self._ended(fd) for fd in answered] + [self._ended(fd, late=True) for fd in late]
            if machine_s() >= end:
                break
        return ended

    def sync(self) -> None:
        owing = [worker for worker in self._busy.values() if worker.owes]
        if owing:  # who is busy can flush nothing; what it made before lies here all the same
            _flush(Path(self._place.home, "store"))
        for worker in owing:
            worker.owes = False
        for worker in self._idle:
            worker.tell(SYNC)
        for synced in [worker.synced() for worker in self._idle]:
            if synced.fault:
                raise Unavailable(synced.fault, mend=synced.mend)

    def close(self) -> None:
        for worker in (*self._new, *self._idle, *self._busy.values()):
            worker.end()
        self._new, self._idle, self._busy = [], [], {}
        self._selector.close()

    def _begun(self, task: Task) -> Worker:
        taken = {one for worker in self._busy.values() for one in worker.gpus}
        free = [one for one in gpus(self._environ) if one not in taken]
        command = self._contained(task) if task.image else self._command()
        return self._added(Worker(command, self._environ, free[: task.needs.gpus], task.image))

    def _added(self, worker: Worker) -> Worker:
        self._selector.register(worker.answers, selectors.EVENT_READ)
        return worker

    def _contained(self, task: Task) -> list[str]:
        return self._containers.worker(task.image, task.tree, str(self._place.root), str(self._place.home))

    def _command(self) -> list[str]:
        root, home = str(self._place.root), str(self._place.home)
        return [sys.executable, "-m", "towpath.executors.worker", root, home, self._place.remote or ""]

    @cached_property
    def _containers(self) -> Containers:
        return Containers(program(self._environ))

    def _ended(self, answers: int, *, late: bool = False) -> Done:
        worker = self._busy.pop(answers)
        done = None if late else worker.done()
        if done is not None and not _is_alone(worker.task):
            self._idle.append(worker)
            return done
        self._selector.unregister(answers)
        if done is not None:
            return _dismissed(worker, done)
        return Done(step=worker.task.step, seconds=0.0, fault=worker.late() if late else worker.died())


def _flush(store: Path) -> None:
    try:
        everything(store)
    except OSError as fault:
        raise Unavailable(f"{store} cannot be used: {fault}", mend="look at the disk's free space, then run again") from fault


def _is_alone(task: Task) -> bool:
    return bool(task.needs.memory or task.needs.gpus)


def _dismissed(worker: Worker, done: Done) -> Done:
    """The end of a task whose worker is not needed again: what it made must be durable before it goes."""
    worker.tell(SYNC)
    synced = worker.synced()
    worker.end()
    return replace(done, value=None, fault=Fault(what=synced.fault, mend=synced.mend)) if done.value and synced.fault else done
