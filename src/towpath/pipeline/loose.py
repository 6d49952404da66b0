"""Code that no version tells the content of: what is installed to be edited where it lies, and modules that were never installed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from towpath.digest import of_file, of_value

_IMPORTS = re.compile(rb"^[ \t]*(?:from[ \t]+(\w+)[\w. \t]*import\b|import[ \t]+([\w., \t]+))", re.MULTILINE)
_CODE = (".py", ".so", ".pyd")
_BESIDE = {"__pycache__", "build", "dist", "node_modules"}  # what lies in a source root and is not imported from there


class Loose(NamedTuple):
    """The digest of some sources, empty where there are none; and the top-level modules that they import."""

    digest: str
    imports: frozenset[str]


def source_root(record: Path) -> Path | None:
    """The folder of a distribution's sources, by the folder of its record; None where it is not installed to be edited."""
    try:
        told = json.loads((record / "direct_url.json").read_bytes())
    except (OSError, ValueError):
        return None
    return Path(unquote(urlsplit(told.get("url", "")).path)) if told.get("dir_info", {}).get("editable") else None


@cache
def in_root(root: Path) -> Loose:
    """All code below a source root, and the other files beside and below it; environments, what was built and hidden folders are left out.

    Remembered until the process ends, as are modules that it has imported.
    """
    files = {str(file.relative_to(root)): file for file in _in_root(root)}
    return Loose(of_value({name: of_file(file) for name, file in files.items()}) if files else "", frozenset())


@cache
def at(places: tuple[Path, ...]) -> Loose:
    """All of some modules and packages, each a file or a folder. What they import counts too, as nothing says what they require."""
    files = {str(file.relative_to(place.parent)): file for place in places for file in _at(place)}
    found = of_value({name: of_file(file) for name, file in files.items()}) if files else ""
    return Loose(found, frozenset(imported(files.values())))


def imported(files: Iterable[Path]) -> set[str]:
    """The top-level modules that Python files name in imports, wherever in them; too many rather than too few.

    What is imported relatively is left out.
    """
    found: set[str] = set()
    for file in files:
        for one, several in _IMPORTS.findall(file.read_bytes()) if file.suffix == ".py" and file.is_file() else ():
            found |= {name.split()[0].partition(b".")[0].decode() for name in (one or several).split(b",") if name.split()}
    return found


def _at(place: Path) -> Iterator[Path]:
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    return (file for file in files if file.is_file() and "__pycache__" not in file.parts)


def _in_root(root: Path) -> Iterator[Path]:
    seen: set[str] = set()
    packages: set[str] = set()
    for folder, below, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        below[:] = [] if real in seen else sorted(name for name in below if _is_source(folder, name))
        names = [] if real in seen else sorted(names)
        seen.add(real)
        if folder != str(root) and (os.path.dirname(folder) in packages or any(name.endswith(_CODE) for name in names)):
            packages.add(folder)
        yield from (Path(folder, name) for name in names if _counts(name, within=folder in packages))


def _is_source(folder: str, name: str) -> bool:
    return not (name.startswith(".") or name in _BESIDE or name.endswith(".egg-info") or os.path.exists(Path(folder, name, "pyvenv.cfg")))


def _counts(name: str, *, within: bool) -> bool:
    return name.endswith(_CODE) or (within and not name.endswith(".pyc"))
