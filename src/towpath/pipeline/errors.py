"""What can go wrong in the user's own code."""

from __future__ import annotations

import traceback
from pathlib import Path

from towpath.errors import TowpathError


class StepFailed(TowpathError):
    """A step made nothing: says which ``step``, and carries the ``trace`` of the user's own lines, ours and libraries' left out."""

    def __init__(self, step: str, what: str, *, mend: str, trace: str = "") -> None:
        self.step, self.trace = step, trace
        super().__init__(what, mend=mend)

    @classmethod
    def of(cls, step: str, fault: BaseException, root: Path) -> StepFailed:
        """The user's code raised."""
        trace = trace_of(fault, root)
        told = str(fault).strip().splitlines()
        first = f": {told[0]}" if told else ""
        what = f"step {step!r} raised {type(fault).__name__}{first}\n{trace}"
        return cls(step, what, mend="mend the step; what ran before it is kept", trace=trace)


def whole_trace(fault: BaseException) -> str:
    """All lines of a traceback from the user's function on, those of libraries too, for the step's log."""
    inside = fault.__traceback__.tb_next if fault.__traceback__ else None
    return "".join(traceback.format_exception(type(fault), fault, inside or fault.__traceback__))


def trace_of(fault: BaseException, root: Path) -> str:
    """The lines of a traceback that lie in files under ``root``, with paths relative to it; the last three where none does."""
    if isinstance(fault, SyntaxError):
        lines = traceback.format_exception_only(fault)[:-1]
    else:
        frames = traceback.extract_tb(fault.__traceback__)
        theirs = [frame for frame in frames if Path(frame.filename).is_relative_to(root)]
        lines = traceback.format_list(theirs or frames[-3:])
    return "".join(lines).rstrip().replace(f"{root}/", "")
