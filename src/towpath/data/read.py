"""Reading a dataset's files: Parquet and CSV."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

from towpath.errors import Refused, UsageError
from towpath.project import Dataset

_PARQUET, _MARK = (".parquet", ".pq"), b"PAR1"
_CSV = (".csv", ".tsv")
_FAULTS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)


class Unreadable(Refused):
    """A file is no table: says which ``file``, and the ``reason``."""

    def __init__(self, file: str, reason: str) -> None:
        self.file, self.reason = file, reason
        super().__init__(f"{file} cannot be read: {reason}", mend="have it delivered again, or take it away")


def files(root: Path, dataset: Dataset) -> list[Path]:
    """The dataset's files in order of their paths: those that match its pattern below ``root``, or the one that it names.

    Raises:
        UsageError: there is none.
    """
    pattern = Path(dataset.path)
    base = Path(pattern.anchor) if pattern.is_absolute() else root
    relative = pattern.relative_to(base) if pattern.is_absolute() else pattern
    found = sorted(path for path in base.glob(str(relative)) if path.is_file())
    if not found:
        raise UsageError(
            f"no file matches {dataset.path!r} in {root}", mend="put the data there, or mend `path` under `data` in towpath.yaml"
        )
    return found


def read_file(path: Path) -> pl.DataFrame:
    """The table of one file.

    Raises:
        Unreadable: it is empty, cut off, or no table; says which file and what is wrong.
        UsageError: its name says neither Parquet nor CSV.
    """
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise Unreadable(str(path), fault.strerror or str(fault)) from None
    return read_bytes(data, str(path))


def read_bytes(data: bytes, name: str) -> pl.DataFrame:
    """The table in the bytes of a file called ``name``; raises as ``read_file`` does."""
    form = form_of(name)
    if not data:
        raise Unreadable(name, "it is empty (0 bytes)")
    if form == "parquet":
        return _parquet(data, name)
    return _csv(data, name)


def form_of(name: str) -> str:
    """``parquet`` or ``csv``, by the file's name. Raises UsageError when it is neither."""
    suffix = Path(name.removesuffix(".gz")).suffix.lower()
    if suffix in _PARQUET:
        return "parquet"
    if suffix in _CSV:
        return "csv"
    raise UsageError(f"{name} is neither Parquet nor CSV by its name", mend="name files *.parquet, *.csv, *.tsv or *.csv.gz")


def _parquet(data: bytes, name: str) -> pl.DataFrame:
    if data[:4] != _MARK:
        raise Unreadable(name, f"it is no Parquet file: it begins with {data[:4]!r}")
    if data[-4:] != _MARK:
        raise Unreadable(name, f"it is cut off: after {len(data):,} bytes there is no Parquet footer")
    try:
        return pl.read_parquet(io.BytesIO(data))
    except _FAULTS as fault:
        raise Unreadable(name, _short(fault)) from None


def _csv(data: bytes, name: str) -> pl.DataFrame:
    if b"\0" in data[:4096]:
        raise Unreadable(name, "it is no CSV file: there are zero bytes in it")
    separator = "\t" if ".tsv" in Path(name).suffixes else ","
    try:
        return pl.read_csv(data, separator=separator, try_parse_dates=True, infer_schema_length=10_000)
    except pl.exceptions.ComputeError:
        pass  # a later row is not of the type that the first 10,000 showed: look at all of them
    except _FAULTS as fault:
        raise Unreadable(name, _short(fault)) from None
    try:
        return pl.read_csv(data, separator=separator, try_parse_dates=True, infer_schema_length=None)
    except _FAULTS as fault:
        raise Unreadable(name, _short(fault)) from None


def _short(fault: BaseException) -> str:
    """The first line of another library's message."""
    lines = str(fault).strip().splitlines()
    return lines[0][:200] if lines else type(fault).__name__
