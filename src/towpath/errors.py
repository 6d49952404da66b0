"""The error tree, drawn by who can act.

    TowpathError
      UsageError          the person who typed: a wrong key, name, file or option          exit 2
        ProjectError      ... in towpath.yaml; carries file, line and key
        UnknownName       ... a name that is not there; the nearest ones are given
      Refused             a check or a gate said no; nothing is broken                     exit 1
      Conflict            another writer was first; read again and decide again            exit 1
      Broken              bytes are not what was written: a ledger, store or journal       exit 1
      Unavailable         something outside did not answer; try again                      exit 1

Each says what happened, with the value, and how to mend it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TowpathError(Exception):
    """Something Towpath can explain: ``what`` happened and how to ``mend`` it."""

    exit_code = 1

    def __init__(self, what: str, *, mend: str) -> None:
        self.what, self.mend = what, mend
        super().__init__(what)

    def __str__(self) -> str:
        return f"{self.what}\n  mend: {self.mend}"


class UsageError(TowpathError, ValueError):
    """The person who called can mend it: a wrong value, name or file."""

    exit_code = 2


class ProjectError(UsageError):
    """A fault in ``towpath.yaml``: says the file, the line (from 1) and the key."""

    def __init__(self, what: str, *, mend: str, file: str, line: int | None = None, key: str = "") -> None:
        self.file, self.line, self.key = file, line, key
        place = f"{file}:{line}" if line else file
        super().__init__(f"{place}: {what}", mend=mend)


class UnknownName(UsageError, LookupError):
    """A name that is not there. The nearest known names go into the mend."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        near = get_close_matches(name, self.known, n=3)
        there = ", ".join(near or self.known) or "none yet"
        super().__init__(
            f"no {kind} called {name!r}",
            mend=f"did you mean {' or '.join(near)}?" if near else f"there is: {there}",
        )


class Refused(TowpathError):
    """A check or a gate said no."""


class Conflict(TowpathError):
    """Another writer was first: the ledger moved on since it was read."""


class Broken(TowpathError):
    """Stored bytes are not what was written."""


class Unavailable(TowpathError):
    """Something outside did not answer in time."""
