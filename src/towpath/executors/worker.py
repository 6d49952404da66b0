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

from towpath import stores
from towpath.errors import TowpathError
from towpath.executors.wire import SYNC, Synced, send, take
from towpath.pipeline.executor import Task
from towpath.pipeline.perform import perform
from towpath.store import Store


def main(root: Path, home: Path, remote: str, asked: int, answered: int) -> None:
    """Perform what is asked until nobody asks any more."""
    for pipe in (asked, answered):
        os.set_inheritable(pipe, False)  # what a step starts must not hold the run's pipes open
    store = stores.store(root, home, remote or None)
    task_of = msgspec.msgpack.Decoder(Task).decode
    while (message := take(asked)) is not None:
        if message == SYNC:
            send(answered, _synced(store))
            continue
        task = task_of(message)
        with _logged(task.log):
            done = perform(task, store, home / "lent")
        send(answered, done)


def _synced(store: Store) -> Synced:
    try:
        store.sync()
    except TowpathError as fault:
        return Synced(fault.what)
    return Synced()


@contextmanager
def _logged(path: str) -> Iterator[None]:
    """What this process and its children print goes to a file, which is there afterwards if anything was printed."""
    log = os.open(path or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    before = os.dup(1), os.dup(2)
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(before[0], 1)
        os.dup2(before[1], 2)
        is_empty = path and not os.fstat(log).st_size
        for file in (log, *before):
            os.close(file)
        if is_empty:
            os.unlink(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
