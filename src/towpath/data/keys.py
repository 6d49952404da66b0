"""The keys of a table's rows as 64-bit marks: what tells without the rows whether a key is known.

Marks of one file are noted beside the store's objects, so that a file is read for them once, whatever snapshots it is in. Two keys have
one mark by chance once in 10^19 pairs. Keys of another width or form are the same keys: 7 is 7 as a number of any size, and as text.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import polars as pl

from towpath.data import columns, read
from towpath.digest import Digest, of_value
from towpath.errors import Refused
from towpath.store import Execution, Store
from towpath.store.trees import FileEntry

Take = Callable[[FileEntry], bytes]


class Keys(NamedTuple):
    """A mark for each row whose key has no null, in their order; and how many rows have one with a null: those have no name."""

    marks: pl.Series
    unnamed: int


def of_frame(frame: pl.DataFrame, key: Sequence[str]) -> Keys:
    """The keys of a table's rows.

    >>> one = of_frame(pl.DataFrame({"id": [7, 8, None]}), ["id"])
    >>> other = of_frame(pl.DataFrame({"id": ["7", "x"]}), ["id"])
    >>> (one.marks.is_in(other.marks).to_list(), one.unnamed)
    ([True, False], 1)
    """
    named = frame.select(_plain(frame[name]).alias(name) for name in key).drop_nulls()
    return Keys(named.hash_rows(seed=1).alias("marks"), frame.height - named.height)


def _plain(series: pl.Series) -> pl.Series:
    kind = columns.logical(series.dtype)
    if kind == "number":
        return series.cast(pl.Float64).fill_nan(None)
    if kind == "time":
        return series.cast(pl.Datetime("us", columns.zone(series.dtype) or None)).to_physical()
    return series if kind == "boolean" else series.cast(pl.String)


def of_file(store: Store, file: FileEntry, key: Sequence[str], take: Take) -> Keys:
    """The keys of a file: as they were noted, else read from the bytes that ``take`` gives.

    Raises:
        Refused: the file is no table, or has no such column.
    """
    name = name_of(file.digest, key)
    noted = store.recall(name)
    if noted:
        return _decoded(store.get(noted.output))
    found = of_frame(_columns(take(file), file.path, key), key)
    output = store.put(_encoded(found))
    store.remember(Execution(fingerprint=name, step="keys of a file", output=output, content=output, seconds=0.0))
    return found


def name_of(file: Digest, key: Sequence[str]) -> Digest:
    """Under what the keys of a file are noted. Another version of Polars may mark them otherwise."""
    return of_value(["keys of a file", pl.__version__, file, list(key)])


def _columns(data: bytes, name: str, key: Sequence[str]) -> pl.DataFrame:
    try:
        if read.form_of(name) == "parquet":
            return pl.read_parquet(io.BytesIO(data), columns=list(key))
        return read.read_bytes(data, name).select(key)
    except pl.exceptions.PolarsError as fault:
        raise Refused(f"{name} has no key ({', '.join(key)}): {fault}", mend="mend the file, or `key` in towpath.yaml") from None


def _encoded(keys: Keys) -> bytes:
    return keys.unnamed.to_bytes(8, "little") + keys.marks.to_numpy().astype("<u8").tobytes()


def _decoded(data: bytes) -> Keys:
    marks = (
        pl.Series("marks", memoryview(data)[8:].cast("Q"), dtype=pl.UInt64) if len(data) > 8 else pl.Series("marks", [], dtype=pl.UInt64)
    )
    return Keys(marks, int.from_bytes(data[:8], "little"))
