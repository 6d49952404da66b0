"""Rows of the past as requests of the Open Inference Protocol, one row a request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import polars as pl

from towpath.formats.frames import requested, type_of

_json = msgspec.json.Encoder().encode
DATATYPES = {"string": "BYTES", "integer": "INT64", "number": "FP64", "boolean": "BOOL", "time": "BYTES"}


def bodies(frame: pl.DataFrame, ids: list[str]) -> Iterator[bytes]:
    """One request a row of raw columns; ``ids`` become the prediction ids."""
    frame = requested(frame)
    heads = [_head(name, dtype) for name, dtype in frame.schema.items()]
    texts = [_json if not dtype.is_temporal() else _time for dtype in frame.dtypes]
    for id, row in zip(ids, frame.iter_rows(), strict=True):
        inputs = b"]},".join(head + text(value) for head, text, value in zip(heads, texts, row, strict=True))
        yield b'{"id":%s,"inputs":[%s]}]}' % (_json(id), inputs)


def _head(name: str, dtype: pl.DataType) -> bytes:
    kind: Any = DATATYPES[type_of(name, dtype)]
    return b'{"name":%s,"shape":[1],"datatype":"%s","data":[' % (_json(name), kind.encode())


def _time(value: datetime | None) -> bytes:
    return _json(value.isoformat() if value is not None else None)
