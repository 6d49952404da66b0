"""What a command takes, as files in its folder: a table in the form that a name says, files as they are."""

from __future__ import annotations

import io
import os
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from towpath.errors import UsageError
from towpath.pipeline import lend
from towpath.pipeline.codecs import decoded
from towpath.pipeline.values import TABLES, Value
from towpath.store import Store, trees

_ENDINGS = {"table": ".parquet", "snapshot": ".parquet", "json": ".json", "text": ".txt", "array": ".npy", "bytes": ""}
_LARGE = 2**20  # bytes; smaller files are copied
_PROGRAMS = b"#!", b"\x7fELF"


def lay(name: str, value: Value, store: Store, folder: Path) -> tuple[str, ...]:
    """Write a value into ``folder``, as the file or folder ``name``; the path in it, or those that a pattern found. A name without an
    ending gets one.

    Files are a folder of that name, a single file that has this very name or ending is that; those of a pattern lie where it found them.

    Raises:
        UsageError: the value is no table, text, bytes, JSON, array or files; or the name is that of another form.
        UnknownName, Broken: as ``Store.get``.
    """
    if value.codec == "files":
        return _files(name, value, store, folder)
    if value.codec not in _ENDINGS:
        what = f"{name!r} is an object of Python, which a command cannot read"
        raise UsageError(what, mend="let the step that makes it return a table, text, bytes, an array, lists and dicts, or a path")
    path = name if PurePosixPath(name).suffix else f"{name}{_ENDINGS[value.codec]}"
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if value.codec in TABLES:
        tables = import_module("towpath.pipeline.tables")
        tables.write(tables.decoded(value, store), target)
    else:
        target.write_bytes(_bytes(value.codec, decoded(value, store)))
    return (path,)


def _bytes(codec: str, value: Any) -> bytes:
    match codec:
        case "json":
            return msgspec.json.encode(value)
        case "text":
            return str(value).encode("utf-8", "surrogatepass")
        case "array":
            buffer = io.BytesIO()
            import_module("numpy").save(buffer, value, allow_pickle=False)
            return buffer.getvalue()
    return bytes(value)


def _files(name: str, value: Value, store: Store, folder: Path) -> tuple[str, ...]:
    files = list(trees.files(store, value.output))
    if any(sign in name for sign in "*?["):
        for file in files:
            _put(store, file, folder / file.path)
        return tuple(file.path for file in files)
    if len(files) == 1 and _is_called(name, files[0].path):
        _put(store, files[0], folder / name)
        return (name,)
    for file in files:
        _put(store, file, folder / name / file.path)
    return (name,)


def _is_called(name: str, file: str) -> bool:
    asked, found = PurePosixPath(name), PurePosixPath(file)
    return asked.name == found.name or bool(found.suffix and asked.suffix == found.suffix)


def _put(store: Store, file: trees.FileEntry, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.size >= _LARGE and os.geteuid():  # root may write to what is read-only, and that would be the store's own file
        lend.put(store, file.digest, target)
        return
    store.get_file(file.digest, target)
    with target.open("rb") as opened:
        if opened.read(4).startswith(_PROGRAMS):  # the store keeps bytes, not modes
            target.chmod(0o755)
