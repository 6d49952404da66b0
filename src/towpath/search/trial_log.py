"""Where trials are kept: a file of lines, each one thing that was told, so that a search that was killed goes on where it stood.

The first line is the question. Lines are only ever appended, by one process at a time. What a kill cut off in the middle of a line was
never told, and is cut away when the file is opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import msgspec

from towpath.digest import of_value
from towpath.errors import Broken, Conflict, Unavailable, UsageError
from towpath.locks import Lock
from towpath.search.port import Question
from towpath.search.trials import Ended, Told, Tried, apply

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Told)
_ROOM = "make room, and search again: it goes on where it stood"


class TrialLog:
    """The trials told so far, and the ``seconds`` of searching that they took. Without a file they are kept in memory alone."""

    def __init__(self, file: FileIO | None = None, told: list[Told] | None = None) -> None:
        self._file = file
        self.trials: dict[int, Tried] = {}
        self.seconds = 0.0
        for one in told or ():
            self._take(one)

    def tell(self, told: Told) -> None:
        """Add it. It survives the end of the process; the end of a trial survives a loss of power too.

        Raises:
            Unavailable: it cannot be written. What was told before is kept.
        """
        if self._file is not None:
            line = _encoder.encode(told) + b"\n"
            try:
                whole = self._file.write(line) == len(line)
                if isinstance(told, Ended):
                    os.fsync(self._file.fileno())
            except OSError as fault:
                raise Unavailable(f"trials cannot be written: {fault.strerror}", mend=_ROOM) from fault
            if not whole:
                raise Unavailable("trials cannot be written: the disk took only a part", mend=_ROOM)
        self._take(told)

    def _take(self, told: Told) -> None:
        apply(self.trials, told)
        self.seconds = told.at


def place(folder: Path, question: Question) -> Path:
    """The file of a question's trials: another question has another one."""
    return folder / f"{of_value(question)[:16]}.jsonl"


def read(path: Path) -> tuple[Question, list[Told]]:
    """The question of a file and what was told, oldest first.

    Raises:
        Broken: a line cannot be read.
    """
    lines = path.read_bytes().split(b"\n")[:-1]  # what follows the last line's end was cut off by a kill
    try:
        return msgspec.json.decode(lines[0], type=Question), [_decoder.decode(line) for line in lines[1:]]
    except (msgspec.DecodeError, IndexError) as fault:
        raise Broken(f"{path} holds no trials: {fault}", mend="delete it; the search begins anew") from fault


@contextmanager
def opened(path: Path | None, question: Question) -> Iterator[TrialLog]:
    """The log at ``path``, to be written by nobody else.

    Raises:
        Conflict: another process searches there.
        UsageError: it holds the trials of another question.
    """
    if path is None:
        yield TrialLog()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with Lock(path.with_suffix(".lock")).held(f"process {os.getpid()}") as mine:
        if not mine:
            raise Conflict(f"another process searches at {path}", mend="wait for its end, or stop it")
        told = _begun(path, question)
        with path.open("ab", buffering=0) as file:
            yield TrialLog(file, told)


def _begun(path: Path, question: Question) -> list[Told]:
    """What was told before; a file that has not got its first line yet is begun."""
    there = path.read_bytes() if path.exists() else b""
    whole = there.rfind(b"\n") + 1
    if not whole:
        path.write_bytes(_encoder.encode(question) + b"\n")
        return []
    if whole < len(there):
        os.truncate(path, whole)
    asked, told = read(path)
    if asked != question:
        raise UsageError(f"{path} holds the trials of another search", mend="name a file that is not there yet")
    return told
