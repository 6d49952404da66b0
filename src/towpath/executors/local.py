"""Steps in worker processes on this machine: each imports the project's code once, and dies with this process."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from towpath import children
from towpath.errors import Unavailable
from towpath.executors.wire import SYNC, Synced, receive, send
from towpath.pipeline.executor import Done, Fault, Task


class LocalExecutor:
    """Workers are begun when there is work for them.

    Args:
        tree: the folder of the code; its project file says where the store is.
        root, home: the project's own folders, which that code is not in.
        slots: how many steps at once; as many as there are cores when left out.
    """

    def __init__(self, tree: Path, root: Path, home: Path, environ: Mapping[str, str], *, slots: int | None = None) -> None:
        self._command = [sys.executable, "-m", "towpath.executors.worker", str(tree), str(root), str(home)]
        self._environ = {"PYTHONHASHSEED": "0", **environ}  # a set of texts has one order, so that the same step makes the same
        self.slots = slots or len(os.sched_getaffinity(0))
        self._idle: list[_Worker] = []
        self._busy: dict[int, _Worker] = {}
        self._selector = selectors.DefaultSelector()

    def submit(self, task: Task) -> None:
        worker = self._idle.pop() if self._idle else self._begun()
        worker.task = task
        worker.tell(task)
        self._busy[worker.answers] = worker

    def wait(self) -> list[Done]:
        if not self._busy:
            return []
        return [self._ended(key.fd) for key, _ in self._selector.select() if key.fd in self._busy]

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

    def _ended(self, answers: int) -> Done:
        worker = self._busy.pop(answers)
        done = receive(answers, Done)
        if done is not None:
            self._idle.append(worker)
            return done
        self._selector.unregister(answers)
        return Done(step=worker.task.step, seconds=0.0, fault=_died(worker))


class _Worker:
    """One process, and the two pipes to it."""

    def __init__(self, command: list[str], environ: Mapping[str, str]) -> None:
        asked, self._asks = os.pipe()
        self.answers, answered = os.pipe()
        self.task: Task
        self._process = subprocess.Popen(
            [*command, str(asked), str(answered)],
            stdin=subprocess.DEVNULL,
            env=environ,
            pass_fds=(asked, answered),
            preexec_fn=children.dying_with(os.getpid()),
        )
        os.close(asked)
        os.close(answered)

    def tell(self, message: object) -> None:
        with suppress(BrokenPipeError):  # it died: the end of its answers says so
            send(self._asks, message)

    def end(self) -> int:
        """Kill it, and what it started; its exit code."""
        for pipe in (self._asks, self.answers):
            os.close(pipe)
        if self._process.poll() is None:
            self._process.kill()
        return self._process.wait()

    def died(self) -> int:
        """The code with which it ended by itself; negative: the signal."""
        return self._process.wait()


def _died(worker: _Worker) -> Fault:
    code = worker.died()
    worker.end()
    if code == -signal.SIGKILL:
        what = f"step {worker.task.step!r} was killed (signal 9), as the system does when memory runs out"
        return Fault(what=what, mend=f"give it fewer rows or the machine more memory; what it printed is in {worker.task.log}")
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return Fault(what=f"the process of step {worker.task.step!r} ended {how}", mend=f"what it printed is in {worker.task.log}")
