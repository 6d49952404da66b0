"""Crews on this machine: the process itself, or some that die with it."""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection, wait
from time import perf_counter

from towpath.children import dying_with
from towpath.errors import UsageError
from towpath.search.port import Crew, Measured, Objective, Task, Trial

_spawn = multiprocessing.get_context("spawn")  # a fork would copy locks that another thread of a library holds


def here(slots: int) -> Callable[[Objective], Crew]:
    """The crew of this machine that works on so many folds at once."""
    return Alone if slots == 1 else partial(Local, slots=slots)


class Alone:
    """This process, one fold after another."""

    slots = 1

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._done: list[Measured] = []

    def submit(self, task: Task) -> None:
        self._done.append(measured(self._objective, task))

    def wait(self) -> list[Measured]:
        done, self._done = self._done, []
        return done

    def close(self) -> None:
        self._done.clear()


class Local:
    """Processes of this machine, begun when there is work for them. The objective is pickled once for each.

    Raises:
        UsageError: the objective cannot be pickled.
    """

    def __init__(self, objective: Objective, slots: int) -> None:
        try:
            self._objective = pickle.dumps(objective, protocol=5)
        except (pickle.PicklingError, AttributeError, TypeError) as fault:
            raise UsageError(
                f"the objective cannot be sent to another process: {fault}",
                mend="make it a function of a module, or search with `parallel: 1`",
            ) from fault
        self.slots = slots
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, tuple[_Worker, Task]] = {}

    def submit(self, task: Task) -> None:
        worker = self._idle.pop() if self._idle else _Worker(self._objective)
        self._busy[worker.pipe] = worker, task
        worker.ask(task)

    def wait(self) -> list[Measured]:
        ended = [pipe for pipe in wait(list(self._busy)) if isinstance(pipe, Connection)]
        return [self._ended(*self._busy.pop(pipe)) for pipe in ended]

    def close(self) -> None:
        for worker in (*self._idle, *(worker for worker, _ in self._busy.values())):
            worker.end()
        self._idle, self._busy = [], {}

    def _ended(self, worker: _Worker, task: Task) -> Measured:
        answer = worker.answer()
        if answer is None:
            return Measured(task=task, fault=f"fold {task.fold}: its process ended {_how(worker.died())}")
        self._idle.append(worker)
        return answer


class _Worker:
    """One process, and the pipe to it."""

    def __init__(self, objective: bytes) -> None:
        self.pipe, theirs = _spawn.Pipe()
        self._process = _spawn.Process(target=_work, args=(theirs, objective, os.getpid()), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, task: Task) -> None:
        try:
            self.pipe.send(task)
        except BrokenPipeError:  # it died: the end of its answers says so
            return

    def answer(self) -> Measured | None:
        """What it says; None where it died."""
        try:
            said: Measured = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            return None
        return said

    def died(self) -> int:
        """The code with which it ended by itself; negative: the signal."""
        self._process.join()
        self.pipe.close()
        return self._process.exitcode or 0

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self.died()


def _work(pipe: Connection, objective: bytes, parent: int) -> None:
    """What a worker does until the pipe is closed."""
    dying_with(parent)()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    measure = _loaded(objective)
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send(measured(measure, task))


def _loaded(objective: bytes) -> Objective:
    try:
        loaded: Objective = pickle.loads(objective)  # noqa: S301 - from the parent
    except Exception as raised:  # of a module that cannot be imported here, whose own code may raise anything
        reason = UsageError(f"the objective cannot be loaded: {type(raised).__name__}: {raised}", mend="search with `parallel: 1`")

        def loaded(trial: Trial, fold: int) -> float:
            raise reason

    return loaded


def measured(objective: Objective, task: Task) -> Measured:
    """Ask the objective; whatever it raises, or a value that is no number, is the trial's fault."""
    begin = perf_counter()
    value, fault = 0.0, ""
    try:
        value = float(objective(task.trial, task.fold))
    except Exception as raised:  # whatever the user's function raises is theirs to mend
        fault = f"fold {task.fold}: {type(raised).__name__}: {_first_line(raised)}"
    if not math.isfinite(value):
        value, fault = 0.0, f"fold {task.fold}: the value is {value}"
    return Measured(task=task, value=value, seconds=perf_counter() - begin, fault=fault)


def _first_line(raised: Exception) -> str:
    return next((line.strip()[:300] for line in str(raised).splitlines() if line.strip()), "no message")


def _how(code: int) -> str:
    if code == -signal.SIGKILL:
        return "by signal 9, as when the system runs out of memory"
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
