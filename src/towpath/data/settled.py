"""What was found to be as a snapshot says, by one digest of all marks: then nothing that looks untouched need be compared again."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from towpath.data.walk import Found
from towpath.digest import Digest, of_bytes
from towpath.stamps import is_old


class Settled:
    """Kept as one small file in the project's home. It may be lost or deleted at any time: then files are compared once more."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._known = msgspec.json.decode(file.read_bytes(), type=dict[str, tuple[str, str]])
        except (OSError, msgspec.DecodeError):
            self._known = {}

    def is_known(self, dataset: str, files: list[Found], snapshot: Digest) -> bool:
        """Whether files with just these marks were found to be those of the snapshot."""
        return self._known.get(dataset) == (_state(files), snapshot)

    def note(self, dataset: str, files: list[Found], snapshot: Digest) -> None:
        """They were; unless one is so young that its next change might not show, or never shows by its marks."""
        youngest = max((file.marks.touched_ns for file in files), default=0)
        if not is_old(youngest) or any(file.marks.size < 0 for file in files):
            return
        self._known[dataset] = (_state(files), snapshot)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        half = self._file.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}.part")
        half.write_bytes(msgspec.json.encode(self._known))
        half.replace(self._file)


def _state(files: list[Found]) -> Digest:
    """One digest of the names and marks of all files."""
    paths, marks = [file.path for file in files], [file.marks for file in files]
    return of_bytes("\0".join(paths).encode("utf-8", "surrogateescape") + b"\0\0" + msgspec.msgpack.encode(marks))
