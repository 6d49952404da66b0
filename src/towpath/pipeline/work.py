"""What a step does: which function it calls."""

from __future__ import annotations

import msgspec


class Call(msgspec.Struct, frozen=True, tag="call"):
    """A function of the project's pipeline file, by name."""

    function: str


Work = Call
