"""What is known of files without reading them: a file that looks untouched has the digest and the rows that it had."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import polars as pl

from towpath.data.read import Unreadable, form_of, read_file
from towpath.digest import Digest, of_file

_FRESH_NS = 50_000_000  # two writes within one tick of a file system's clock look alike: so young a file is read again next time


class Known(msgspec.Struct, frozen=True, array_like=True):
    """``rows`` is -1 where the file could not be read."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    digest: Digest
    rows: int


class Index:
    """Kept as one JSON file beside the ledger. It may be lost or deleted at any time: then files are read once more."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = _load(file)
        self._saved = dict(self._known)

    def of(self, path: Path) -> Known:
        """Digest and rows of a file; it is read only when it looks touched since the last time."""
        stat = path.stat()
        known = self._known.get(str(path := path.absolute()))
        if known and (known.inode, known.size, known.mtime_ns, known.ctime_ns) == _marks(stat):
            return known
        found = Known(*_marks(stat), digest=of_file(path) if stat.st_size else Digest(""), rows=_rows(path))
        is_settled = _marks(path.stat()) == _marks(stat) and time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) > _FRESH_NS
        if is_settled:
            self._known[str(path)] = found
        return found

    def save(self) -> None:
        """Write what was learned, if anything was; whole or not at all."""
        if self._known == self._saved:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        half = self._file.with_suffix(f".{os.getpid()}.part")
        half.write_bytes(msgspec.json.encode(self._known))
        half.replace(self._file)
        self._saved = dict(self._known)


def _load(file: Path) -> dict[str, Known]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Known])
    except (OSError, msgspec.DecodeError):
        return {}


def _marks(stat: os.stat_result) -> tuple[int, int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _rows(path: Path) -> int:
    """Parquet: from the footer alone; CSV: counted. -1 where the file cannot be read."""
    if form_of(path.name) == "csv" or not path.stat().st_size:
        try:
            return read_file(path).height
        except Unreadable:
            return -1
    try:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError):
        return -1
