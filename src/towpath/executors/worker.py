"""A process that performs steps for a run, one after another. What they print goes to their logs.

``python -m towpath.executors.worker ROOT HOME REMOTE ASKED ANSWERED``: the project's folders, its remote or nothing, and descriptors of
two pipes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec.structs import replace

from towpath import stores
from towpath.errors import TowpathError
from towpath.executors import memory
from towpath.executors.wire import SYNC, Synced, send, take
from towpath.pipeline.executor import Done, Fault, Task
from towpath.pipeline.perform import perform
from towpath.store import Store


def main(root: Path, home: Path, remote: str, asked: int, answered: int) -> None:
    """Perform what is asked until nobody asks any more."""
    for pipe in (asked, answered):
        os.set_inheritable(pipe, False)  # what a step starts must not hold the run's pipes open
    store = stores.near(root, home, remote or None)
    task_of = msgspec.msgpack.Decoder(Task).decode
    while (message := take(asked)) is not None:
        if message == SYNC:
            send(answered, _synced(store))
            continue
        task = task_of(message)
        send(answered, _done(task, store, home / "lent"))


def _done(task: Task, store: Store, place: Path) -> Done:
    """The end of a task, whose log has all that it printed."""
    try:
        with logged(task.log):
            return _performed(task, store, place)
    except OSError as fault:
        what = f"what step {task.step!r} prints cannot be written to its log: {fault}"
        mend = "look at the disk's free space and at who may write there, then run again"
        return Done(step=task.step, seconds=0.0, fault=Fault(what=what, mend=mend, kinds=("OSError",)))


def _performed(task: Task, store: Store, place: Path) -> Done:
    """The end of a task, within its limit of memory."""
    try:
        with memory.limited(task.needs.memory):
            done = perform(task, store, place)
    except MemoryError:  # there was none left even for saying so
        done = Done(step=task.step, seconds=0.0, fault=Fault(what=f"step {task.step!r} ran out of memory", mend="", kinds=(memory.KIND,)))
    if task.needs.memory and done.fault and memory.KIND in done.fault.kinds:
        return replace(done, fault=memory.ran_out(task, memory.peak(), trace=done.fault.trace))
    return replace(done, fault=memory.suspected(done.fault, task)) if done.fault else done


def _synced(store: Store) -> Synced:
    try:
        store.sync()
    except TowpathError as fault:
        return Synced(fault.what, fault.mend)
    return Synced()


@contextmanager
def logged(path: str) -> Iterator[None]:
    """What this process and its children print goes to the end of a file, which is there afterwards if anything was printed."""
    log = os.open(path or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    before = os.dup(1), os.dup(2)
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        yield
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os.dup2(before[0], 1)
        os.dup2(before[1], 2)
        is_empty = path and not os.fstat(log).st_size
        for file in (log, *before):
            os.close(file)
        if is_empty:
            os.unlink(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
