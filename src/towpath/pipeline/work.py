"""What a step does: which function it calls, or which command it executes."""

from __future__ import annotations

import msgspec


class Call(msgspec.Struct, frozen=True, tag="call"):
    """A function of the project's pipeline file, by name."""

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


Work = Call | Command
