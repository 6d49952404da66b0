"""The files of a dataset: found, read, and read again only when they changed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import polars as pl
from polars.exceptions import PolarsError

from towpath.digest import Digest, of_file
from towpath.errors import Refused, UsageError
from towpath.project import Dataset

READERS = (".parquet", ".csv")
SETTLED_NS = 20_000_000  # a file modified within the clock's granularity may change again unseen


class Unreadable(Refused):
    """A file that is no table. ``file`` is its path, relative to the project."""

    def __init__(self, file: str, why: str) -> None:
        self.file, self.why = file, why
        super().__init__(f"{file} cannot be read: {why}", mend="deliver the file again, whole")


class FileEntry(msgspec.Struct, frozen=True):
    """One file of a snapshot. ``path`` is relative to the project; ``size`` in bytes."""

    path: str
    digest: Digest
    size: int
    rows: int


class _Known(msgspec.Struct):
    inode: int
    size: int
    mtime_ns: int
    digest: Digest
    rows: int


class Index:
    """Remembers digest and rows of files by inode, size and time of change, so that nothing unchanged is read twice."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._known = msgspec.json.decode(path.read_bytes(), type=dict[str, _Known])
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            self._known = {}  # it only spares reading

    def entry(self, root: Path, file: Path) -> FileEntry:
        """Digest, size and rows of a file. Raises Unreadable."""
        name, stat = str(file.relative_to(root)), file.stat()
        known = self._known.get(name)
        if known is None or (known.inode, known.size, known.mtime_ns) != (stat.st_ino, stat.st_size, stat.st_mtime_ns):
            known = _Known(stat.st_ino, stat.st_size, stat.st_mtime_ns, of_file(file), rows_of(root, file))
            if time.time_ns() - stat.st_mtime_ns > SETTLED_NS:
                self._known[name] = known
        return FileEntry(name, known.digest, known.size, known.rows)

    def save(self) -> None:
        """Write what is remembered."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        half = self._path.with_suffix(f".{os.getpid()}")
        half.write_bytes(msgspec.json.encode(self._known))
        half.replace(self._path)


def find(root: Path, name: str, dataset: Dataset) -> list[Path]:
    """The files of a dataset, sorted. Raises UsageError when there is none, or one that is no table by its ending."""
    pattern = dataset.path
    files = sorted(file for file in root.glob(pattern) if file.is_file()) if not Path(pattern).is_absolute() else [Path(pattern)]
    if not files or not all(file.is_file() for file in files):
        raise UsageError(f"dataset {name!r}: no file matches {pattern!r} in {root}", mend=f"put the data there, or mend `data.{name}.path`")
    strange = next((file for file in files if file.suffix not in READERS), None)
    if strange:
        raise UsageError(f"dataset {name!r}: {strange.name} is neither CSV nor Parquet", mend="use files that end in .csv or .parquet")
    return files


def read(root: Path, file: Path) -> pl.DataFrame:
    """One file as a frame. Raises Unreadable when it is empty, cut off or no table."""
    name = str(file.relative_to(root))
    if file.stat().st_size == 0:
        raise Unreadable(name, "it is empty (0 bytes)")
    try:
        if file.suffix == ".csv":
            return pl.read_csv(file, try_parse_dates=True, infer_schema_length=10_000)
        return pl.read_parquet(file)
    except (PolarsError, OSError) as fault:
        raise Unreadable(name, str(fault).splitlines()[0]) from None


def rows_of(root: Path, file: Path) -> int:
    """How many rows a file has; of Parquet, only the footer is read. Raises Unreadable."""
    if file.suffix == ".csv":
        return read(root, file).height
    name = str(file.relative_to(root))
    if file.stat().st_size == 0:
        raise Unreadable(name, "it is empty (0 bytes)")
    try:
        return int(pl.scan_parquet(file).select(pl.len()).collect().item())
    except (PolarsError, OSError) as fault:
        raise Unreadable(name, str(fault).splitlines()[0]) from None
