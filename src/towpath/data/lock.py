"""``towpath.lock``: which snapshot of each dataset belongs to a commit. Committed; one sorted line a dataset: name, digest, rows."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from towpath.digest import Digest, is_digest
from towpath.errors import UsageError

LOCK = "towpath.lock"
_MARKERS = re.compile(r"^(<{7}|={7}|>{7}|\|{7})", re.MULTILINE)


class Locked(NamedTuple):
    """The digest of a snapshot's manifest; its rows, -1 where it is no table."""

    digest: Digest
    rows: int


def read(root: Path) -> dict[str, Locked]:
    """What the lock of a project's folder says; nothing where there is no lock.

    Raises:
        UsageError: a line is not of its form; names file and line.
    """
    file = root / LOCK
    return parse(file.read_text(encoding="utf-8"), str(file)) if file.exists() else {}


def parse(text: str, source: str = LOCK) -> dict[str, Locked]:
    """The datasets of a lock's text.

    >>> parse("flights " + "0" * 64 + " 336776")["flights"].rows
    336776
    """
    if marker := _MARKERS.search(text):
        line = text[: marker.start()].count("\n") + 1
        mend = f"keep the line of either side (`git checkout --ours {LOCK}`, or --theirs), then `towpath data status` tells what to do"
        raise UsageError(f"{source}:{line}: two branches changed the same dataset, and Git left both", mend=mend)
    return dict(_line(line, f"{source}:{number}") for number, line in enumerate(text.splitlines(), 1) if line.strip())


def legible(text: str) -> list[tuple[str, Locked]]:
    """The lines that are of their form, whatever stands between them: both sides of a conflict too.

    >>> legible("<<<<<<< ours\\nflights " + "0" * 64 + " -\\n=======\\n")[0][0]
    'flights'
    """
    found = []
    for line in text.splitlines():
        with suppress(UsageError):
            found.append(_line(line, LOCK))
    return found


def is_understood(text: str) -> bool:
    """Whether it has a line of its form, or nothing but the marks of a conflict."""
    return bool(legible(text)) or not any(line.strip() and not _MARKERS.match(line) for line in text.splitlines())


def _line(line: str, place: str) -> tuple[str, Locked]:
    words = line.split()
    if len(words) != 3 or not is_digest(words[1]) or not re.fullmatch(r"\d+|-", words[2]):
        raise UsageError(f"{place}: {line!r} is not `name digest rows`", mend="restore the file from Git; `towpath data add` writes it")
    return words[0], Locked(Digest(words[1]), -1 if words[2] == "-" else int(words[2]))


def text_of(locked: Mapping[str, Locked]) -> str:
    """The lock's text: sorted, one line a dataset."""
    return "".join(f"{name} {one.digest} {one.rows if one.rows >= 0 else '-'}\n" for name, one in sorted(locked.items()))


def update(root: Path, changed: Mapping[str, Locked]) -> None:
    """Write new lines for some datasets, whole or not at all. Who writes others meanwhile waits, so that no line is lost."""
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # until it is closed
        before = read(root)
        after = {**before, **changed}
        if after != before:
            half = root / f".{LOCK}.part"
            half.write_text(text_of(after), encoding="utf-8")
            half.replace(root / LOCK)
    finally:
        os.close(folder)
