"""What a step does: which function it calls, which commands it executes; and how one is made in parts."""

from __future__ import annotations

import msgspec


class Call(msgspec.Struct, frozen=True, tag="call"):
    """A function of the project's pipeline file, by name; with ``workers``, called in so many at once, as a loop of Ray Train."""

    function: str
    workers: int = 0


class Use(msgspec.Struct, frozen=True, tag="use"):
    """A function of an installed distribution."""

    module: str
    function: str


class Command(msgspec.Struct, frozen=True, kw_only=True, tag="command"):
    """A command, executed in a folder of its own.

    ``cmd`` is a text for the shell, or words. ``outputs`` are paths in that folder by name. ``version`` is a command for the shell that
    tells the program's version, and ``says`` what it told.
    """

    cmd: str | tuple[str, ...]
    outputs: dict[str, str]
    version: str | None = None
    says: str = ""


class Commands(msgspec.Struct, frozen=True, kw_only=True, tag="commands"):
    """Commands one after another, executed in ``wdir`` of a copy of the project's tree, as stages of DVC are.

    ``outputs`` are paths in the tree; ``absent`` those that are not there when it begins. What is taken under one of the names
    ``uncounted`` changes no fingerprint. With a ``mark``, no two executions are the same.
    """

    cmd: tuple[str, ...]
    wdir: str
    outputs: tuple[str, ...]
    absent: tuple[str, ...]
    uncounted: tuple[str, ...] = ()
    mark: str = ""


class Split(msgspec.Struct, frozen=True, tag="split"):
    """Parts of the table that ``step`` takes, by the values of a column."""

    step: str
    column: str


class Gather(msgspec.Struct, frozen=True, tag="gather"):
    """What the parts of a step made, together."""


class Each(msgspec.Struct, frozen=True, tag="each"):
    """A function, called for each part of what ``parameter`` takes; no task, as it becomes one a part."""

    work: Call | Use
    parameter: str


Work = Call | Use | Command | Commands | Split | Gather | Each
