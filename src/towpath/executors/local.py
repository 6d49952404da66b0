"""Steps in worker processes on this machine: each imports the project's code once, and dies with this process."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from math import inf

from towpath import children
from towpath.clock import machine_s
from towpath.errors import Unavailable
from towpath.executors.wire import SYNC, Synced, receive, send
from towpath.pipeline.executor import Done, Fault, Task
from towpath.project import Project


class LocalExecutor:
    """Workers are begun when there is work for them.

    Args:
        slots: how many steps at once; as many as there are cores when left out.
    """

    def __init__(self, project: Project, environ: Mapping[str, str], *, slots: int | None = None) -> None:
        where = [str(project.root), str(project.home), project.remote or ""]
        self._command = [sys.executable, "-m", "towpath.executors.worker", *where]
        self._environ = {"PYTHONHASHSEED": "0", **environ}  # a set of texts has one order, so that the same step makes the same
        self.slots = slots or len(os.sched_getaffinity(0))
        self._idle: list[_Worker] = []
        self._busy: dict[int, _Worker] = {}
        self._selector = selectors.DefaultSelector()

    def submit(self, task: Task) -> None:
        worker = self._idle.pop() if self._idle else self._begun()
        worker.begin(task)
        self._busy[worker.answers] = worker

    def wait(self) -> list[Done]:
        if not self._busy:
            return []
        until = min((worker.until for worker in self._busy.values()), default=None)
        patience = None if until is None or until == inf else max(0.0, until - machine_s())
        answered = [key.fd for key, _ in self._selector.select(patience) if key.fd in self._busy]
        late = [fd for fd, worker in self._busy.items() if worker.until <= machine_s() and fd not in answered]
        return [self._ended(fd) for fd in answered] + [self._ended(fd, late=True) for fd in late] or self.wait()

    def sync(self) -> None:
        for worker in self._idle:
            worker.tell(SYNC)
        for worker in self._idle:
            answer = receive(worker.answers, Synced)
            if answer is None or answer.fault:
                raise Unavailable(answer.fault if answer else "a worker ended before what it made was on the disk", mend="run again")

    def close(self) -> None:
        for worker in (*self._idle, *self._busy.values()):
            worker.end()
        self._idle, self._busy = [], {}
        self._selector.close()

    def _begun(self) -> _Worker:
        worker = _Worker(self._command, self._environ)
        self._selector.register(worker.answers, selectors.EVENT_READ)
        return worker

    def _ended(self, answers: int, *, late: bool = False) -> Done:
        worker = self._busy.pop(answers)
        done = None if late else receive(answers, Done)
        if done is not None:
            self._idle.append(worker)
            return done
        self._selector.unregister(answers)
        return Done(step=worker.task.step, seconds=0.0, fault=_late(worker) if late else _died(worker))


class _Worker:
    """One process, and the two pipes to it."""

    def __init__(self, command: list[str], environ: Mapping[str, str]) -> None:
        asked, self._asks = os.pipe()
        self.answers, answered = os.pipe()
        self.task: Task
        self.until = inf
        self._process = subprocess.Popen(
            [*command, str(asked), str(answered)],
            stdin=subprocess.DEVNULL,
            env=environ,
            pass_fds=(asked, answered),
            start_new_session=True,  # so that it can be killed with whatever a step of the user's started
            preexec_fn=children.dying_with(os.getpid()),
        )
        os.close(asked)
        os.close(answered)
        self._guard, self._alive = _guard_of(self._process.pid)

    def begin(self, task: Task) -> None:
        """Give it a task. After ``until``, on the machine's clock, the task has failed."""
        self.task, self.until = task, machine_s() + task.timeout_s if task.timeout_s else inf
        self.tell(task)

    def tell(self, message: object) -> None:
        with suppress(BrokenPipeError):  # it died: the end of its answers says so
            send(self._asks, message)

    def end(self) -> int:
        """Kill it, and what it started; its exit code."""
        for pipe in (self._asks, self.answers):
            os.close(pipe)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        os.close(self._alive)
        self._guard.wait()
        return self._process.wait()

    def died(self) -> int:
        """The code with which it ended by itself; negative: the signal."""
        return self._process.wait()


def _guard_of(group: int) -> tuple[subprocess.Popen[bytes], int]:
    """A process that kills a group when the pipe is closed that only this process holds: also what a step started dies with the run."""
    watched, alive = os.pipe()
    guard = subprocess.Popen(["sh", "-c", f"read -r _; kill -9 -{group} 2>/dev/null"], stdin=watched, start_new_session=True)
    os.close(watched)
    return guard, alive


def _late(worker: _Worker) -> Fault:
    worker.end()
    what = f"step {worker.task.step!r} took longer than its timeout of {worker.task.timeout_s:g} s and was ended"
    return Fault(what=what, mend=f"make it quicker, or raise `timeout`; what it printed is in {worker.task.log}", kinds=("TimeoutError",))


def _died(worker: _Worker) -> Fault:
    code = worker.died()
    worker.end()
    if code == -signal.SIGKILL:
        what = f"step {worker.task.step!r} was killed (signal 9), as the system does when memory runs out"
        return Fault(what=what, mend=f"give it fewer rows or the machine more memory; what it printed is in {worker.task.log}")
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return Fault(what=f"the process of step {worker.task.step!r} ended {how}", mend=f"what it printed is in {worker.task.log}")
