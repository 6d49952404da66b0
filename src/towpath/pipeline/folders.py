"""Files between steps: a folder or a file that a step made, and a folder that one gets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from towpath.errors import UsageError
from towpath.pipeline.lend import lent
from towpath.pipeline.values import Value
from towpath.store import Store, trees
from towpath.store.trees import FileEntry

_FEW = 5  # names of files are told


def keep_files(path: Path, store: Store, step: str) -> Value:
    """Put a file, or all files of a folder, into the store; what tells them apart is their names in it and their bytes.

    Raises UsageError where there is nothing.
    """
    if not path.exists():
        raise UsageError(f"step {step!r} returned the path {path}, where nothing is", mend="return the path of what it wrote")
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    return keep_below(path.parent if path.is_file() else path, files, store)


def keep_below(base: Path, files: Iterable[Path], store: Store) -> Value:
    """Put files into the store, named as they lie below ``base``."""
    return files_value([FileEntry(str(one.relative_to(base)), store.put_file(one), one.stat().st_size) for one in files], store)


def files_value(files: list[FileEntry], store: Store) -> Value:
    """Files that the store has, as a step is given them."""
    root = trees.write(store, files)
    return Value("files", root, root)


def part_of(value: Value, path: str, store: Store) -> Value:
    """Of files the one at ``path``, or all below a folder of that path. Raises UsageError where there is none."""
    files = list(trees.files(store, value.output))
    found = [file._replace(path=file.path.rpartition("/")[2]) for file in files if file.path == path]
    found = found or [file._replace(path=file.path.removeprefix(f"{path}/")) for file in files if file.path.startswith(f"{path}/")]
    if not found:
        there = ", ".join(file.path for file in files[:_FEW])
        raise UsageError(f"there is no {path} among the files that were made", mend=f"there is: {there}")
    return files_value(found, store)


@contextmanager
def lend_files(value: Value, store: Store, place: Path) -> Iterator[Path]:
    """A folder below ``place`` with these files, read-only, until the block ends; of a single file that a step returned, too."""
    files = {file.path: file for file in trees.files(store, value.output)}
    os.makedirs(place, exist_ok=True)
    with lent(files, store, place) as folder:
        yield folder
