"""How many files a dataset has, and how many bytes: all that can be asked of files that are no table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from towpath.data.checks.rule import Faulty
from towpath.data.checks.wording import count, span, verdict
from towpath.data.snapshot import Part
from towpath.project_checks import Bounds, Checks
from towpath.project_fields import declared
from towpath.verdict import Answer, Verdict

_OF_FILES = {"files", "bytes"}


def are_files(parts: Sequence[Part]) -> bool:
    """Whether nobody took these files for tables."""
    return bool(parts) and all(part.frame is None and not part.fault for part in parts)


def of_files(name: str, checks: Checks, parts: Sequence[Part]) -> tuple[Verdict, ...]:
    """What the checks say of files that are no table.

    Raises:
        Faulty: a check asks of rows or columns.
    """
    if strange := sorted(set(declared(checks)) - _OF_FILES):
        what = f"{name} is files, which have no rows and no columns"
        raise Faulty((strange[0],), what, mend="ask for `files` and `bytes`, or drop the check")
    size = sum(part.size for part in parts)
    seen = verdict(f"{name}: files", Answer.PASS, f"{count(len(parts), 'file')}, {size:,} bytes", files=len(parts), bytes=size)
    return tuple(judge(name, checks, parts)) or (seen,)


def judge(name: str, checks: Checks, parts: Sequence[Part]) -> Iterator[Verdict]:
    """A verdict for each of the two bounds that is declared."""
    amounts: list[tuple[str, Bounds | None, int]] = [
        ("files", checks.files, len(parts)),
        ("bytes", checks.bytes, sum(part.size for part in parts)),
    ]
    for what, bounds, found in amounts:
        if bounds is None:
            continue
        low, high = bounds.min, bounds.max
        fits = (low is None or found >= low) and (high is None or found <= high)
        because = f"{name} has {found:,} {what}" + ("" if fits else f", must have {span(low, high)}")
        yield verdict(f"{name}: {what} {span(low, high)}", Answer.PASS if fits else Answer.FAIL, because, **{what: found})
