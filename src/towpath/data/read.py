"""Reading a dataset's files: Parquet, CSV and Arrow."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import polars as pl

from towpath.errors import Refused, UsageError

_PARQUET, _MARK = (".parquet", ".pq"), b"PAR1"
_GZIP = b"\x1f\x8b"
_CSV = (".csv", ".tsv")
_ARROW = (".arrow", ".ipc", ".feather")
_FAULTS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)


class Unreadable(Refused):
    """A file is no table: says which ``file``, and the ``reason``."""

    def __init__(self, file: str, reason: str) -> None:
        self.file, self.reason = file, reason
        super().__init__(f"{file} cannot be read: {reason}", mend="have it delivered again, or take it away")


def read_file(path: Path) -> pl.DataFrame:
    """The table of one file.

    Raises:
        Unreadable: it is empty, cut off, or no table; says which file and what is wrong.
        UsageError: its name says neither Parquet, CSV nor Arrow.
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
    match form:
        case "parquet":
            return _parquet(data, name)
        case "arrow":
            return _arrow(data, name)
        case _:
            return _csv(data, name)


def form_of(name: str) -> str:
    """``parquet``, ``csv`` or ``arrow``, by the file's name. Raises UsageError when it is none of them."""
    suffix = Path(name.removesuffix(".gz")).suffix.lower()
    if suffix in _PARQUET:
        return "parquet"
    if suffix in _CSV:
        return "csv"
    if suffix in _ARROW:
        return "arrow"
    raise UsageError(f"{name} is no table by its name", mend="name files *.parquet, *.csv, *.tsv, *.csv.gz or *.arrow")


def rows_of(path: Path) -> int:
    """How many rows a file has: Parquet and Arrow by their footers, CSV counted. -1 where the file cannot be read."""
    form = form_of(path.name)
    if not path.stat().st_size:
        return -1
    try:
        if form == "csv":
            return _rows_of_csv(path)
        scan = pl.scan_parquet(path) if form == "parquet" else pl.scan_ipc(path)
        return int(scan.select(pl.len()).collect().item())
    except (*_FAULTS, Unreadable):
        return -1


def _rows_of_csv(path: Path) -> int:
    """Counted without making sense of the values; what only whole reading tells of a strange file, whole reading tells."""
    with path.open("rb") as file:
        begin = file.read(4096)
    if b"\0" in begin or begin[:2] == _GZIP:
        return read_file(path).height
    separator = "\t" if ".tsv" in path.suffixes else ","
    return int(pl.scan_csv(path, separator=separator, infer_schema=False).select(pl.len()).collect().item())


def _arrow(data: bytes, name: str) -> pl.DataFrame:
    try:
        return pl.read_ipc(io.BytesIO(data), use_pyarrow=False)
    except _FAULTS as fault:
        raise Unreadable(name, _short(fault)) from None


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
    if data[:2] == _GZIP:
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as fault:
            raise Unreadable(name, f"it cannot be unpacked: {fault}") from None
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
