"""Which files a dataset has now: one file, those of a folder of any depth, or those that match a pattern."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import takewhile
from operator import attrgetter
from pathlib import Path, PurePath
from stat import S_ISDIR
from typing import NamedTuple, TypeVar

from towpath.errors import Unavailable, UsageError
from towpath.project import Dataset

_TABLES = (".parquet", ".pq", ".csv", ".tsv", ".csv.gz", ".tsv.gz", ".arrow", ".ipc", ".feather")
_TRIES = 3

Told = TypeVar("Told")


class NoFiles(UsageError):
    """A dataset has no file at all."""


class Marks(NamedTuple):
    """What tells without reading that a file was touched. ``size`` in bytes; below 0 where nothing tells, so that it is always read."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Found(NamedTuple):
    """A file: its absolute path or its URL, its name in manifests (for files of the project: relative to it), its marks."""

    path: str
    name: str
    marks: Marks


def marks_of(path: str) -> Marks:
    """The marks of a file as it is now; of what a link points to."""
    return _marks(os.stat(path))


def _marks(stat: os.stat_result) -> Marks:
    return Marks(stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def walk(root: Path, dataset: Dataset) -> list[Found]:
    """The dataset's files, in order of their names as bytes. Links are followed.

    Raises:
        NoFiles: there is none.
        UsageError: a link points nowhere, or in a circle.
        Unavailable: a folder cannot be read.
    """
    pattern = Path(dataset.path)
    whole = pattern if pattern.is_absolute() else root / pattern
    found: list[Found] = []
    if whole.is_dir():
        _below(str(whole), (), f"{root}/", found)
    else:
        found += (Found(str(path), str(path).removeprefix(f"{root}/"), marks_of(str(path))) for path in _matching(root, pattern))
    if not found:
        raise NoFiles(f"no file matches {dataset.path!r} in {root}", mend="put the data there, or mend `path` under `data` in towpath.yaml")
    plain = all(
        map(str.isascii, (file.name for file in found))
    )  # then the order of the letters is that of the bytes, and quicker asked for
    return sorted(found, key=attrgetter("name") if plain else lambda file: os.fsencode(file.name))


def steady(path: str, marks: Marks, take: Callable[[Path], Told]) -> tuple[Told, Marks]:
    """What ``take`` gives of a file that did not change meanwhile, and its marks after that.

    Raises:
        Unavailable: the file cannot be read, or changes again and again while it is read.
    """
    for _ in range(_TRIES):
        try:
            told, after = take(Path(path)), marks_of(path)
        except OSError as fault:
            raise Unavailable(f"{path} cannot be read: {fault.strerror or fault}", mend="let this user read it, or take it away") from fault
        if after[:3] == marks[:3]:  # linking changes the fourth
            return told, after
        marks = after
    raise Unavailable(f"{path} changes while it is read", mend="wait until whatever writes it has ended, then try again")


def is_table(files: list[Found]) -> bool:
    """Whether every file's name says that it is a table."""
    return are_tables(file.name for file in files)


def are_tables(names: Iterable[str]) -> bool:
    """Whether every name is that of a table."""
    return all(name.lower().endswith(_TABLES) for name in names)


def base_of(path: str, names: Collection[str]) -> str:
    """The folder that a declared ``path`` begins with, whatever of it is there: what a step that gets the files takes for their root.

    >>> base_of("images", ["images/cat/1.png"]), base_of("images/*/*.png", ["images/cat/1.png"]), base_of("a/b.bin", ["a/b.bin"])
    ('images', 'images', 'a')
    """
    if path in names:
        return str(PurePath(path).parent)
    whole = PurePath(path)
    parts = list(takewhile(lambda part: not any(sign in part for sign in "*?["), whole.parts))
    return str(PurePath(*parts))


def below(path: str, name: str) -> str:
    """The name of a file as seen from a folder ``path``; unchanged where it does not lie there."""
    return str(PurePath(name).relative_to(path)) if PurePath(name).is_relative_to(path) else name.lstrip("/")


def _matching(root: Path, pattern: Path) -> Iterator[Path]:
    base = Path(pattern.anchor) if pattern.is_absolute() else root
    return (path for path in base.glob(str(pattern.relative_to(base) if pattern.is_absolute() else pattern)) if path.is_file())


def _below(folder: str, above: tuple[tuple[int, int], ...], prefix: str, found: list[Found]) -> None:
    """Every file below a folder goes to ``found``; ``above`` are the folders on the way to it, by device and inode."""
    here = os.stat(folder)
    mark = here.st_dev, here.st_ino
    if mark in above:
        raise UsageError(
            f"{folder} is a link to a folder that it lies in: a circle", mend="take the link away, or name a folder without it"
        )
    folders = []
    for path, stat in _listed(folder):
        if S_ISDIR(stat.st_mode):
            folders.append(path)
        else:
            found.append(Found(path, path.removeprefix(prefix), _marks(stat)))
    for path in folders:  # when this one is closed
        _below(path, (*above, mark), prefix, found)


def _listed(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """What lies in a folder, asked for beside it: a name by itself is found in two thirds of the time of a path."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as fault:
        raise Unavailable(f"the folder {folder} cannot be read: {fault.strerror}", mend="let this user read it") from fault
    try:
        for name in os.listdir(handle):
            try:
                stat = os.stat(name, dir_fd=handle)
            except OSError as fault:
                what = f"{folder}/{name} is a link that leads nowhere: {fault.strerror}"
                raise UsageError(what, mend="mend the link, or take it away") from fault
            yield f"{folder}/{name}", stat
    finally:
        os.close(handle)
