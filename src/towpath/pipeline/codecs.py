"""How what a step made becomes bytes in the store, and comes back as the same. Libraries are loaded only for values that are theirs."""

from __future__ import annotations

import io
import pickle
import sys
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from towpath.digest import Digest, of_value
from towpath.errors import UsageError
from towpath.pipeline.folders import keep_files, lend_files
from towpath.pipeline.values import Value
from towpath.store import Store

_SCALARS = (str, bool, int, float, type(None))
_FRAMES = {"polars": ("DataFrame", "LazyFrame"), "pandas": ("DataFrame",), "pyarrow": ("Table", "RecordBatch")}


def keep(value: Any, store: Store, *, step: str) -> Value:
    """Put what a step made into the store.

    Raises:
        UsageError: the step gave nothing, or what no codec takes.
    """
    if value is None:
        raise UsageError(f"step {step!r} returned None", mend="end the function with `return` and what it made")
    if is_frame(value):
        data, content = import_module("towpath.pipeline.tables").encoded(value, step)
        return Value("table", store.put(data), content)
    if isinstance(value, Path):
        return keep_files(value, store, step)
    codec, data = _encoded(value, step)
    output = store.put(data)
    return Value(codec, output, content_of(codec, output))


def content_of(codec: str, output: Digest) -> Digest:
    """The canonical digest of a value whose bytes are canonical: the same bytes as text and as numbers are two things."""
    return of_value(["value", 1, codec, output])


def give(value: Value, store: Store, place: Path, stack: ExitStack) -> Any:
    """What a step gets: a Polars frame for a table; for files a folder below ``place``, until ``stack`` ends.

    Raises:
        UnknownName, Broken: as ``Store.get``.
    """
    match value.codec:
        case "table" | "snapshot":
            return import_module("towpath.pipeline.tables").decoded(value, store)
        case "files":
            return stack.enter_context(lend_files(value, store, place))
        case _:
            return decoded(value, store)


def is_frame(value: Any) -> bool:
    """Whether it is a table of Polars, pandas or Arrow."""
    kind = type(value)
    return kind.__name__ in _FRAMES.get(kind.__module__.partition(".")[0], ())


def _encoded(value: Any, step: str) -> tuple[str, bytes]:
    if type(value) is bytes:
        return "bytes", value
    if type(value) is str:
        return "text", value.encode("utf-8", "surrogatepass")
    if _is_json(value):
        return "json", msgspec.json.encode(value)
    if _is_array(value):
        buffer = io.BytesIO()
        sys.modules["numpy"].save(buffer, value, allow_pickle=False)
        return "array", buffer.getvalue()
    try:
        return "pickle", pickle.dumps(value, protocol=5)
    except Exception as fault:  # whatever an object's own __reduce__ raises
        raise UsageError(
            f"step {step!r} returned a {type(value).__module__}.{type(value).__qualname__}, which cannot be kept: {fault}",
            mend="return a frame, an array, text, bytes, numbers in lists and dicts, a path, or an object that can be pickled",
        ) from None


def decoded(value: Value, store: Store) -> Any:
    """What a step made that is neither a table nor files."""
    codec, data = value.codec, store.get(value.output)
    match codec:
        case "bytes":
            return data
        case "text":
            return data.decode("utf-8", "surrogatepass")
        case "json":
            return msgspec.json.decode(data)
        case "array":
            return import_module("numpy").load(io.BytesIO(data), allow_pickle=False)
        case "pickle":
            return pickle.loads(data)  # noqa: S301 - this project's own step wrote it, and its digest was checked
    raise UsageError(f"{codec!r} is no codec of this version of Towpath", mend="use the version that made it, or run the step again")


def _is_json(value: Any) -> bool:
    """Whether JSON gives back just the same: no tuples, no keys but text, no subclasses, no NaN."""
    if type(value) is dict:
        return all(type(key) is str and _is_json(one) for key, one in value.items())
    if type(value) is list:
        return all(map(_is_json, value))
    if type(value) is float:
        return value == value and abs(value) != float("inf")
    return type(value) in _SCALARS and (type(value) is not int or -(2**63) <= value < 2**64)


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.ndarray and not value.dtype.hasobject
