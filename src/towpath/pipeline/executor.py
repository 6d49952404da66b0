"""What an executor is asked, and what it answers."""

from __future__ import annotations

from math import inf
from typing import Any, Protocol

import msgspec

from towpath.pipeline.values import Value
from towpath.pipeline.work import Work


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """What a task needs while it executes, or what there is for tasks. ``memory``: bytes; a task that names none has no limit."""

    cpus: float = 1.0
    memory: int = 0
    gpus: int = 0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of a step.

    ``tree`` is the folder of the project's code, ``pipeline`` the file in it that has the functions; ``inputs`` and ``parameters`` go to
    the work by name. ``seed`` is for whatever draws without one; ``libraries`` are imported before it is sown. What the step prints is
    added to the file ``log``. ``checkpoint``: the folder in which it may keep how far it came; what lies there is from the same execution.
    ``image``: that of the container in which it executes, if it is not to execute beside the run.
    """

    step: str
    work: Work
    tree: str
    pipeline: str
    inputs: dict[str, Value]
    parameters: dict[str, Any]
    seed: int
    libraries: tuple[str, ...] = ()
    log: str = ""
    checkpoint: str = ""
    timeout_s: float | None = None
    needs: Resources = Resources()
    image: str = ""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Why a step made nothing.

    ``trace``: the user's own lines, where their code raised. ``kinds``: the type of that error by name, and those that it derives from.
    """

    what: str
    mend: str
    trace: str = ""
    kinds: tuple[str, ...] = ()


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a task: the value, which is in the store, or the fault."""

    step: str
    seconds: float
    value: Value | None = None
    fault: Fault | None = None


class Executor(Protocol):
    """Executes tasks, some at a time. What it puts into the store survives a loss of power after ``sync``."""

    @property
    def has(self) -> Resources:
        """All that there is for tasks. One that needs more never gets room."""
        ...

    def places(self, needs: Resources) -> int:
        """How many tasks that need this fit at once, when nothing is under way."""
        ...

    def room(self, needs: Resources) -> bool:
        """Whether a task that needs this can begin now."""
        ...

    def submit(self, task: Task) -> None:
        """Begin a task for which there is room."""
        ...

    def wait(self, patience_s: float = inf) -> list[Done]:
        """The tasks that ended since the last call; waits for one, but no longer than ``patience_s``, unless it executes in this process.

        A worker that dies is a fault of its task, never of the run.
        """
        ...

    def sync(self) -> None:
        """Make durable what the ended tasks made. Raises Unavailable."""
        ...

    def close(self) -> None:
        """End it, and with it whatever is under way."""
        ...
