"""A limit to what a worker may allocate, and what is told of a step that came to it."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec.structs import replace

from towpath.pipeline.executor import Fault, Task
from towpath.quantities import size_in_words

NEARLY = 0.8
KIND = MemoryError.__name__
ENDED_BY = (signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV)  # libraries that are refused memory end in one of these


@contextmanager
def limited(size: int) -> Iterator[None]:
    """For the length of a block this process gets no more than so many bytes of data; 0 is no limit. Its children get as many each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = size or soft
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def peak() -> int:
    """The most that this process ever had in memory, in bytes, without what is mapped of files: that no limit of data counts."""
    mapped = _told("RssFile:") + _told("RssShmem:")
    return max(0, _told("VmHWM:") - mapped) or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _told(key: str) -> int:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    return 0


def suspected(fault: Fault, task: Task) -> Fault:
    """With a hint, where the limit is nearly reached: not every library says so when it is refused memory."""
    taken, limit = _told("VmData:"), task.needs.memory
    if not limit or taken < NEARLY * limit:
        return fault
    hint = f"it has taken {size_in_words(taken)} of the {size_in_words(limit)} that it may: if that is why, raise its `memory`"
    return replace(fault, mend=f"{fault.mend}; {hint}")


def ran_out(task: Task, most: int, how: str = "", trace: str = "") -> Fault:
    """Of a step that came to its limit; ``most`` is what it had at its peak, in bytes."""
    limit, had = size_in_words(task.needs.memory), size_in_words(most)
    what = f"step {task.step!r} ran out of memory: it may take {limit}, had {had} in use at its peak, and was refused more{how}"
    mend = f"raise `memory` under steps.{task.step} in towpath.yaml, or give it fewer rows; what it printed is in {task.log}"
    return Fault(what=f"{what}\n{trace}" if trace else what, mend=mend, trace=trace, kinds=(KIND, "Exception"))
