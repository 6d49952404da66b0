"""Which installed distributions provide modules, and in which versions; read from their own records, without importing anything."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from towpath.digest import of_file, of_value

_RECORDS = re.compile(r"^(?P<name>[^-]+)-(?P<version>[^-]+).*\.(dist|egg)-info$")


class Distribution(NamedTuple):
    """What is known of a distribution. ``requires`` are the names of others, those of extras left out."""

    name: str
    version: str
    requires: tuple[str, ...]
    is_editable: bool


def versions(modules: Iterable[str]) -> dict[str, str]:
    """Versions of the distributions that provide modules, and of all that those require.

    A module that no distribution provides, or one whose files may be edited where they lie, counts by the digest of its files. What
    comes with Python, and what is not there, is left out. What was read is remembered until the process ends.

    >>> versions(["json", "nowhere_to_be_found"])
    {}
    """
    found: dict[str, str] = {}
    queue: list[str] = []
    for module in sorted(set(modules) - sys.stdlib_module_names):
        names, digest = _providers(module)
        queue += names
        found |= {f"files of {module}": digest} if digest else {}
    while queue:
        name = queue.pop()
        known = _distribution(name)
        if known and name not in found:
            found[name] = known.version
            queue += known.requires
    return dict(sorted(found.items()))


def everything() -> dict[str, str]:
    """The version of each installed distribution, as the names of their records say."""
    found = {name: _RECORDS.match(folder.name) for name, folder in _folders().items()}
    return {name: fits["version"] for name, fits in sorted(found.items()) if fits}


@cache
def _providers(module: str) -> tuple[tuple[str, ...], str]:
    """The distributions that a module comes from, and the digest of its files where no version tells what is in them."""
    spec = _spec(module)
    if spec is None or spec.origin in ("built-in", "frozen"):
        return (), ""
    names = tuple(_owners(module, spec)) or ((normal(module),) if normal(module) in _folders() else ())  # one that is edited lists no files
    known = [one for one in map(_distribution, names) if one]
    return names, "" if known and not any(one.is_editable for one in known) else _digest(spec)


def _spec(module: str) -> ModuleSpec | None:
    try:
        return find_spec(module)
    except (ImportError, ValueError, AttributeError):  # a module that was made while running has no specification
        return None


def _owners(module: str, spec: ModuleSpec) -> Iterator[str]:
    """The one that lists the file that is imported; of a package without a file of its own, all that have a part in it."""
    like = sorted(_folders().items(), key=lambda item: (normal(module) not in item[0], item[0]))
    for name, folder in like:
        listed = _listed(folder)
        if spec.origin:
            relative = os.path.relpath(spec.origin, folder.parent).replace(os.sep, "/")
            if f"\n{relative},".encode() in listed or f"\n{module}\n".encode() in listed:
                yield name
                return
        elif f"\n{module}/".encode() in listed:
            yield name


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
    return Distribution(name, version[1] if version else "", required, _is_editable(folder))


def _is_editable(folder: Path) -> bool:
    try:
        return b'"editable": true' in (folder / "direct_url.json").read_bytes()
    except OSError:
        return False


def _digest(spec: ModuleSpec) -> str:
    """Of all files of a module or package, compiled forms left out."""
    places = list(map(Path, spec.submodule_search_locations or ())) or [Path(spec.origin or "")]
    found: dict[str, str] = {}
    for place in places:
        files = place.rglob("*") if place.is_dir() else [place]
        found |= {
            str(file.relative_to(place.parent)): of_file(file) for file in files if file.is_file() and "__pycache__" not in file.parts
        }
    return of_value(found) if found else ""


def normal(name: str) -> str:
    """A distribution's name in its normal form.

    >>> normal("Scikit_Learn")
    'scikit-learn'
    """
    return re.sub(r"[-_.]+", "-", name).lower()
