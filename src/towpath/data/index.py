"""What is known of files without reading them: one that looks untouched has the digest that it had, and equal bytes have equal rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from towpath.data.walk import Found, Marks
from towpath.digest import Digest
from towpath.spelling import encoded
from towpath.stamps import is_old, wait_past


class _Kept(msgspec.Struct, array_like=True):
    """``files``: marks and digest by path, as the file system spells it. ``rows`` by digest; -1 where the bytes are no table."""

    files: dict[bytes, tuple[int, int, int, int, Digest]]
    rows: dict[str, int]


_MANY = 100_000  # files that wait until they are old enough: the first are long since


class Index:
    """Kept as one file in the project's home. It may be lost or deleted at any time: then files are read once more."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._learned = False
        self._young: list[tuple[str, Marks, Digest]] = []

    @cached_property
    def _kept(self) -> _Kept:
        """Read when it is first asked for: where nothing was touched, nobody asks."""
        try:
            return msgspec.msgpack.decode(self._file.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            return _Kept({}, {})

    def known(self, path: str, marks: Marks) -> Digest | None:
        """The digest of a file with these marks, if it is known."""
        kept = self._kept.files.get(os.fsencode(path))
        return kept[4] if kept and kept[:4] == marks else None

    def known_all(self, files: Sequence[Found]) -> list[Digest | None]:
        """The same of many files, in a fourth of the time."""
        kept = map(self._kept.files.get, encoded([file.path for file in files]))
        return [one[4] if one and one[:4] == file.marks else None for one, file in zip(kept, files, strict=True)]

    def learn(self, path: str, marks: Marks, digest: Digest, *, read_as: Marks | None = None) -> None:
        """Note the digest of a file, unless its next change might not show: it is too young, or nothing tells.

        Args:
            read_as: its marks when it was read, if one more name that we gave it has changed its ctime since: it is as old as it was then.
        """
        before = read_as if read_as and read_as[:3] == marks[:3] else marks
        if before.size >= 0 and is_old(before.touched_ns):
            self.learn_made(path, marks, digest)

    def learn_made(self, path: str, marks: Marks, digest: Digest) -> None:
        """Note the digest of a file that was just made of known bytes, or linked; ``save`` waits until its next change would show."""
        if is_old(marks.touched_ns):
            self._note(path, marks, digest)
        else:
            self._young.append((path, marks, digest))
            if len(self._young) >= _MANY:
                self._grown()

    def _grown(self) -> None:
        """Note what was too young, as soon as it no longer is."""
        young, self._young = self._young, []
        for path, marks, digest in young:
            if is_old(marks.touched_ns) or wait_past(marks.touched_ns, os.path.dirname(path)):
                self._note(path, marks, digest)

    def _note(self, path: str, marks: Marks, digest: Digest) -> None:
        self._kept.files[os.fsencode(path)] = (*marks, digest)
        self._learned = True

    def rows_known(self, digest: Digest) -> int | None:
        """How many rows the table with these bytes has, if they were counted."""
        return self._kept.rows.get(digest)

    def rows(self, digest: Digest, path: str, count: Callable[[Path], int]) -> int:
        """How many rows the table with these bytes has; they are counted once, in a file that has them."""
        if digest not in self._kept.rows:
            self._kept.rows[digest] = count(Path(path))
            self._learned = True
        return self._kept.rows[digest]

    def save(self) -> None:
        """Write what was learned, if anything was; whole or not at all."""
        self._grown()
        if not self._learned:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        half = self._file.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}.part")  # threads of one process save too
        half.write_bytes(msgspec.msgpack.encode(self._kept))
        half.replace(self._file)
        self._learned = False
