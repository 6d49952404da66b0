"""What can go wrong in the user's own code."""

from __future__ import annotations

import traceback
from pathlib import Path

from towpath.errors import TowpathError


class StepFailed(TowpathError):
    """The user's code raised: says which ``step``, and carries the ``trace`` from the user's first line on, ours left out."""

    def __init__(self, step: str, fault: BaseException, root: Path) -> None:
        self.step, self.trace = step, trace_of(fault, root)
        told = str(fault).strip().splitlines()
        first = f": {told[0]}" if told else ""
        super().__init__(
            f"step {step!r} raised {type(fault).__name__}{first}\n{self.trace}", mend="mend the step; what ran before it is kept"
        )


def trace_of(fault: BaseException, root: Path) -> str:
    """The lines of a traceback from the first one in a file under ``root`` on; the last three where none is. Paths are relative to it."""
    frames = traceback.extract_tb(fault.__traceback__)
    first = next((number for number, frame in enumerate(frames) if Path(frame.filename).is_relative_to(root)), max(0, len(frames) - 3))
    lines = traceback.format_list(frames[first:])
    if isinstance(fault, SyntaxError):
        lines = traceback.format_exception_only(fault)[:-1]
    return "".join(lines).rstrip().replace(f"{root}/", "")
