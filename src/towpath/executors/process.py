"""A worker: one process, the two pipes to it, and the guard that kills it with whatever a step started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import inf

from towpath import children
from towpath.clock import machine_s
from towpath.executors import memory
from towpath.executors.wire import Synced, receive, send
from towpath.pipeline.executor import Done, Fault, Task


class Worker:
    """A process that performs one task after another. ``gpus``: those that are its own; ``image``: that of its container.

    ``owes``: whether it made something that may not be durable.

    A worker in a container is spoken to through stdin and stdout, as nothing else gets into one.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], gpus: Sequence[str] = (), image: str = "") -> None:
        asked, self._asks = os.pipe()
        self.answers, answered = os.pipe()
        self.task: Task
        self.until, self.gpus, self.image, self.owes = inf, gpus, image, False
        self._process = subprocess.Popen(
            command if image else [*command, str(asked), str(answered)],
            stdin=asked if image else subprocess.DEVNULL,
            stdout=answered if image else None,
            env={**environ, "CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else environ,
            pass_fds=() if image else (asked, answered),
            start_new_session=True,  # so that it can be killed with whatever a step of the user's started
            preexec_fn=children.dying_with(os.getpid()),
        )
        os.close(asked)
        os.close(answered)
        self._alive = guarded(self._process.pid)

    def begin(self, task: Task) -> None:
        """Give it a task. After ``until``, on the machine's clock, the task has failed."""
        self.task, self.until = task, machine_s() + task.timeout_s if task.timeout_s else inf
        self.tell(task)

    def tell(self, message: object) -> None:
        """Say something; of a worker that died, the end of its answers says so."""
        with suppress(BrokenPipeError):
            send(self._asks, message)

    def done(self) -> Done | None:
        """The end of its task; None where it died. Waits."""
        self.owes = True
        return receive(self.answers, Done)

    def synced(self) -> Synced:
        """Whether all that it made is durable; it was told ``SYNC`` before. Waits."""
        synced = receive(self.answers, Synced) or Synced("a worker ended before what it made was on the disk")
        self.owes = bool(synced.fault)
        return synced

    def end(self) -> None:
        """Kill it, and what it started."""
        for pipe in (self._asks, self.answers):
            os.close(pipe)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(BrokenPipeError):
            os.write(self._alive, b"\n")
        os.close(self._alive)
        self._process.wait()

    def late(self) -> Fault:
        """Its task took too long; it is ended."""
        self.end()
        return late(self.task)

    def died(self) -> Fault:
        """It ended by itself, in the middle of its task."""
        _, status, usage = os.wait4(self._process.pid, 0)
        code = self._process.returncode = os.waitstatus_to_exitcode(status)
        code = 128 - code if self.image and code > 128 else code  # out of a container a signal comes as shells tell it
        self.end()
        step, log = self.task.step, self.task.log
        if self.task.needs.memory and -code in memory.ENDED_BY:
            return memory.ran_out(self.task, usage.ru_maxrss * 1024, f", which ended it by signal {-code}")
        if code == -signal.SIGKILL:
            what = f"step {step!r} was killed (signal 9), as the system does when memory runs out"
            return Fault(what=what, mend=f"give it fewer rows or the machine more memory; what it printed is in {log}")
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return Fault(what=f"the process of step {step!r} ended {how}", mend=f"what it printed is in {log}")


def late(task: Task) -> Fault:
    """Of a task that took longer than it may."""
    what = f"step {task.step!r} took longer than its timeout of {task.timeout_s:g} s and was ended"
    mend = f"make it quicker, or raise `timeout`; what it printed is in {task.log}"
    return Fault(what=what, mend=mend, kinds=("TimeoutError",))


def guarded(group: int) -> int:
    """Begin a process that kills a group when the pipe ends that only this process holds: also what a step started dies with the run.

    A line in the pipe sends it away. It is nobody's child, for Ray kills the children of a process that it ends.
    """
    watched, alive = os.pipe()
    guard = f"exec 3<&0; (read -r _ <&3 || kill -9 -{group}) 2>/dev/null &"
    subprocess.run(["sh", "-c", guard], stdin=watched, start_new_session=True, check=True)
    os.close(watched)
    return alive
