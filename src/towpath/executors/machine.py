"""What this machine has for tasks, and what of it is free."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from towpath.pipeline.executor import Resources

_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))  # of a container


def machine(environ: Mapping[str, str]) -> Resources:
    """The cores that this process may use, the memory, and the GPUs that CUDA_VISIBLE_DEVICES names."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in _LIMITS:
        with suppress(OSError, ValueError):  # no such file, or no limit
            memory = min(memory, int(file.read_text()))
    return Resources(cpus=len(os.sched_getaffinity(0)), memory=memory, gpus=len(gpus(environ)))


def gpus(environ: Mapping[str, str]) -> list[str]:
    """The GPUs that may be used, as CUDA_VISIBLE_DEVICES names them."""
    return [one for one in environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one.strip() not in ("", "-1")]


def fits(needs: Resources, has: Resources, taken: Iterable[Resources] = ()) -> bool:
    """Whether there is room for one more beside those that have ``taken`` theirs.

    >>> fits(Resources(cpus=2), Resources(cpus=4), [Resources(), Resources()]), fits(Resources(gpus=1), Resources(cpus=4))
    (True, False)
    """
    every = (needs, *taken)
    return (
        sum(one.cpus for one in every) <= has.cpus
        and sum(one.memory for one in every) <= has.memory
        and sum(one.gpus for one in every) <= has.gpus
    )


def fitting(needs: Resources, has: Resources) -> int:
    """How many times there is room for this.

    >>> fitting(Resources(cpus=2), Resources(cpus=5)), fitting(Resources(gpus=1), Resources(cpus=5))
    (2, 0)
    """
    pairs = ((needs.cpus, has.cpus), (needs.memory, has.memory), (needs.gpus, has.gpus))
    return int(min((there // asked for asked, there in pairs if asked), default=0))
