"""Which installed distributions provide modules, and in which versions; read from their own records, without importing anything."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from towpath.pipeline.loose import Loose, at, in_root, source_root

_RECORDS = re.compile(r"^(?P<name>[^-]+)-(?P<version>[^-]+).*\.(dist|egg)-info$")
_FILES, _SOURCES = "files of ", "sources of "  # before the name of a module, and of a distribution, whose files are counted


class Distribution(NamedTuple):
    """What is known of a distribution. ``requires`` are the names of others, those of extras left out.

    ``root``: where its sources lie, if it is installed to be edited there.
    """

    name: str
    version: str
    requires: tuple[str, ...]
    root: Path | None


def versions(modules: Iterable[str]) -> dict[str, str]:
    """Versions of the distributions that provide modules, and of all that those require.

    A module that no distribution provides counts by the digest of its files, with what it imports; a distribution whose sources may be
    edited where they lie, by the digest of all of them too. What comes with Python, and what is not there, is left out. What was read is
    remembered until the process ends.

    >>> versions(["json", "nowhere_to_be_found"])
    {}
    """
    found: dict[str, str] = {}
    asked, named, seen = set(modules), list[str](), set(sys.stdlib_module_names)
    while asked or named:
        for module in sorted(asked - seen):
            names, files = _providers(module)
            named += names
            found |= {f"{_FILES}{module}": files.digest} if files and files.digest else {}
            asked |= files.imports if files else set()
            seen.add(module)
        asked -= seen
        known = _distribution(named.pop()) if named else None
        if known and known.name not in found:
            named += known.requires
            found |= _counted(known)
    return dict(sorted(found.items()))


def _counted(one: Distribution) -> dict[str, str]:
    files = in_root(one.root) if one.root else None
    return {one.name: one.version, **({f"{_SOURCES}{one.name}": files.digest} if files and files.digest else {})}


def are_released(modules: Iterable[str]) -> bool:
    """Whether versions alone say what is in modules and in all that they require: nothing of it may change without an installation."""
    return not any(name.startswith((_FILES, _SOURCES)) for name in versions(modules))


def everything() -> dict[str, str]:
    """The version of each installed distribution, as the names of their records say."""
    found = {name: _RECORDS.match(folder.name) for name, folder in _folders().items()}
    return {name: fits["version"] for name, fits in sorted(found.items()) if fits}


@cache
def _providers(module: str) -> tuple[tuple[str, ...], Loose | None]:
    """The distributions that a module comes from, and those of its files of which no distribution tells what is in them."""
    spec = _spec(module)
    if spec is None or spec.origin in ("built-in", "frozen"):
        return (), None
    names = tuple(_owners(module, spec)) or ((normal(module),) if normal(module) in _folders() else ())  # one that is edited lists no files
    known = [one for one in map(_distribution, names) if one]
    loose = [place for place in _places(spec) if not any(_provides(one, place, is_part=not spec.origin) for one in known)]
    return names, at(tuple(loose)) if loose else None


def _places(spec: ModuleSpec) -> list[Path]:
    return list(map(Path, spec.submodule_search_locations or ())) or [Path(spec.origin or "")]


def _provides(one: Distribution, place: Path, *, is_part: bool) -> bool:
    """Whether a distribution says what is there; of a package without a file of its own, each has the part that is beside its record."""
    if one.root:
        return place.is_relative_to(one.root)
    return not is_part or place.parent == _folders()[one.name].parent


def _spec(module: str) -> ModuleSpec | None:
    try:
        return find_spec(module)
    except (ImportError, ValueError, AttributeError):  # a module that was made while running has no specification
        return None


def _owners(module: str, spec: ModuleSpec) -> Iterator[str]:
    """The one that lists the file that is imported; of a package without a file of its own, all that have a part in it."""
    for name, folder in sorted(_folders().items(), key=lambda item: _unlike(normal(module), item[0])):
        listed = _listed(folder)
        if spec.origin:
            relative = os.path.relpath(spec.origin, folder.parent).replace(os.sep, "/")
            if f"\n{relative},".encode() in listed or f"\n{module}\n".encode() in listed:
                yield name
                return
        elif f"\n{module}/".encode() in listed:
            yield name


def _unlike(module: str, name: str) -> tuple[bool, int, str]:
    """The lower, the sooner a distribution is asked for a module: long lists of files are read until it is found."""
    return module not in name, -_alike(module, name) - _alike(module[::-1], name[::-1]), name


def _alike(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


@cache
def _listed(folder: Path) -> bytes:
    """The files of a distribution, a line each; its modules where it keeps no such record."""
    for name in ("RECORD", "top_level.txt"):
        if (folder / name).is_file():
            return b"\n" + (folder / name).read_bytes().replace(b"\r\n", b"\n")
    return b""


@cache
def _folders() -> dict[str, Path]:
    """Where each installed distribution keeps its record; the first on the path counts."""
    found: dict[str, Path] = {}
    for place in sys.path:
        try:
            names = sorted(os.listdir(place or "."))
        except OSError:
            continue
        for name in names:
            if fits := _RECORDS.match(name):
                found.setdefault(normal(fits["name"]), Path(place, name))
    return found


@cache
def _distribution(name: str) -> Distribution | None:
    folder = _folders().get(name)
    if folder is None:
        return None
    file = next((folder / each for each in ("METADATA", "PKG-INFO") if (folder / each).is_file()), None)
    head = re.split(r"\r?\n\r?\n", file.read_text(encoding="utf-8", errors="replace"), maxsplit=1)[0] if file else ""
    version = re.search(r"^Version: *(\S+)", head, re.MULTILINE)
    needed = [line for line in re.findall(r"^Requires-Dist: *(.+)", head, re.MULTILINE) if "extra ==" not in line]
    required = tuple(normal(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in needed)
    return Distribution(name, version[1] if version else "", required, source_root(folder))


def normal(name: str) -> str:
    """A distribution's name in its normal form.

    >>> normal("Scikit_Learn")
    'scikit-learn'
    """
    return re.sub(r"[-_.]+", "-", name).lower()
