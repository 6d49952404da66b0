"""Which files a dataset has now: one file, those of a folder of any depth, or those that match a pattern."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from fnmatch import translate
from itertools import takewhile
from operator import attrgetter
from pathlib import Path, PurePath
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple, TypeVar

from towpath.errors import Unavailable, UsageError
from towpath.project import Dataset

_TABLES = (".parquet", ".pq", ".csv", ".tsv", ".csv.gz", ".tsv.gz", ".arrow", ".ipc", ".feather")
_TRIES = 3
_HALF = re.compile(r"\.towpath-(\d+)-[0-9a-f]{8}")  # what a check-out writes before it has its name

Told = TypeVar("Told")


class NoFiles(UsageError):
    """A dataset has no file at all."""


class Marks(NamedTuple):
    """What tells without reading that a file was touched. ``size`` in bytes; below 0 where nothing tells, so that it is always read."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @property
    def touched_ns(self) -> int:
        """When it last changed, by what tells later."""
        return max(self.mtime_ns, self.ctime_ns)


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
        UsageError: a link points nowhere, or in a circle; a pipe, a socket or a device lies there (patterns pass these over).
        Unavailable: a folder cannot be read. Neither this nor a bad link is passed over where a pattern would look.
    """
    pattern = Path(dataset.path)
    whole = pattern if pattern.is_absolute() else root / pattern
    found: list[Found] = []
    if whole.is_dir():
        _below(str(whole), (), f"{root}/", found)
    elif any(map(is_pattern, whole.parts)):
        matching: dict[str, Marks] = {}
        base = Path(*takewhile(lambda part: not is_pattern(part), whole.parts))
        if base.is_dir():
            _matching(str(base).rstrip("/"), whole.relative_to(base).parts, matching)
        found += (Found(path, path.removeprefix(f"{root}/"), marks) for path, marks in matching.items())
    elif os.path.lexists(whole):
        found += (_found(path, stat, f"{root}/") for path, stat in _listed(str(whole.parent), whole.name.__eq__))
    if not found:
        raise NoFiles(f"no file matches {dataset.path!r} in {root}", mend="put the data there, or mend `path` under `data` in towpath.yaml")
    plain = all(
        map(str.isascii, (file.name for file in found))
    )  # then the order of the letters is that of the bytes, and quicker asked for
    return sorted(found, key=attrgetter("name") if plain else lambda file: os.fsencode(file.name))


def steady(path: str, marks: Marks, take: Callable[[str], Told]) -> tuple[Told, Marks]:
    """What ``take`` gives of a file that did not change meanwhile, and its marks after that.

    Raises:
        Unavailable: the file cannot be read, or changes again and again while it is read.
    """
    for _ in range(_TRIES):
        try:
            told, after = take(path), marks_of(path)
        except OSError as fault:
            raise Unavailable(f"{path} cannot be read: {fault.strerror or fault}", mend="let this user read it, or take it away") from fault
        if after[:3] == marks[:3]:  # linking changes the fourth
            return told, after
        marks = after
    raise Unavailable(f"{path} changes while it is read", mend="wait until whatever writes it has ended, then try again")


def half_name() -> str:
    """A new name for a file that is being written beside data: it is none of a dataset's files."""
    return f".towpath-{os.getpid()}-{os.urandom(4).hex()}"


def writer_of(name: str) -> int:
    """The process that began to write a file with this ``half_name``; 0 for any other name."""
    found = _HALF.fullmatch(name)
    return int(found[1]) if found else 0


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
    return str(PurePath(*takewhile(lambda part: not is_pattern(part), whole.parts)))


def is_pattern(part: str) -> bool:
    """Whether a part of a path stands for many names."""
    return any(sign in part for sign in "*?[")


def below(path: str, name: str) -> str:
    """The name of a file as seen from a folder ``path``; unchanged where it does not lie there."""
    return str(PurePath(name).relative_to(path)) if PurePath(name).is_relative_to(path) else name.lstrip("/")


def _matching(folder: str, parts: Sequence[str], found: dict[str, Marks]) -> None:
    """Every file below a folder that a pattern names goes to ``found``. What may match and cannot be looked at is an error, as in folders;
    ``**`` is any depth of folders, links to folders left out."""
    part, rest = parts[0], parts[1:]
    if part == "**":
        if rest:
            _matching(folder, rest, found)
        for path in _folders(folder):
            _matching(path, parts, found)
        return
    for path, stat in _listed(folder, re.compile(translate(part)).fullmatch if is_pattern(part) else part.__eq__):
        if rest and S_ISDIR(stat.st_mode):
            _matching(path, rest, found)
        elif not rest and S_ISREG(stat.st_mode):
            found[path] = _marks(stat)


def _folders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [f"{folder}/{entry.name}" for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError as fault:
        raise Unavailable(f"the folder {folder} cannot be read: {fault.strerror}", mend="let this user read it") from fault


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
            found.append(_found(path, stat, prefix))
    for path in folders:  # when this one is closed
        _below(path, (*above, mark), prefix, found)


def _found(path: str, stat: os.stat_result, prefix: str) -> Found:
    if not S_ISREG(stat.st_mode):  # reading a pipe would wait for ever
        raise UsageError(f"{path} is no file, but a pipe, a socket or a device", mend="take it away, or name the files by a pattern")
    return Found(path, path.removeprefix(prefix), _marks(stat))


def _listed(folder: str, wanted: Callable[[str], object] = lambda name: True) -> Iterator[tuple[str, os.stat_result]]:
    """What lies in a folder with names that are ``wanted``, asked for beside it: a name by itself
    is found in two thirds of the time of a path."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as fault:
        raise Unavailable(f"the folder {folder} cannot be read: {fault.strerror}", mend="let this user read it") from fault
    try:
        for name in os.listdir(handle):
            if (name.startswith(".towpath-") and writer_of(name)) or not wanted(name):
                continue
            try:
                stat = os.stat(name, dir_fd=handle)
            except OSError as fault:
                what = f"{folder}/{name} is a link that leads nowhere: {fault.strerror}"
                raise UsageError(what, mend="mend the link, or take it away") from fault
            yield f"{folder}/{name}", stat
    finally:
        os.close(handle)
