"""`towpath doctor`: what is installed, what is missing, and how to mend it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import typer

from towpath import __version__, project_file
from towpath.cli import shared
from towpath.cli.extras import EXTRAS
from towpath.errors import TowpathError

app = shared.new_app()
ROOM_GB = 1.0  # under this, a run may fail to store what it made


class Finding(NamedTuple):
    """One line of the doctor. ``needed`` and not ``well`` means that Towpath cannot work."""

    part: str
    well: bool
    needed: bool
    found: str
    mend: str = ""
    size_mb: float = 0.0


class Requirement(NamedTuple):
    """A distribution that one of ours names. ``extra`` is empty for the core's own."""

    name: str
    least: tuple[int, ...]
    extra: str


@app.command()
def doctor(context: typer.Context) -> None:
    """What is installed, what is missing, and how to mend it. Exit code 1 when something needed is missing."""
    required = map(requirement_of, metadata.requires("towpath") or ())
    needed = [one for one in required if one and one.name != "towpath"]  # an extra may name another extra of ours
    findings = [_python(), _git(), *map(_distribution, needed), *_place(context)]
    core_mb = sum(map(_size_mb, closure([r.name for r in needed if not r.extra])))
    ill = [finding for finding in findings if finding.needed and not finding.well]
    summary = f"core: {core_mb:,.0f} MB installed; " + (
        f"{len(ill)} needed part{'s' * (len(ill) > 1)} missing" if ill else "nothing missing"
    )
    value = {"version": __version__, "well": not ill, "core_mb": round(core_mb), "findings": [f._asdict() for f in findings]}
    shared.answer(context, value, "\n".join([f"Towpath {__version__}", *map(_line, findings), summary]))
    if ill:
        raise typer.Exit(1)


def requirement_of(line: str) -> Requirement | None:
    """Read one requirement of a distribution's metadata; None where its marker leaves it out by system or Python.

    >>> requirement_of('mlflow>=3.17; extra == "mlflow"')
    Requirement(name='mlflow', least=(3, 17), extra='mlflow')
    """
    spec, _, marker = line.partition(";")
    name = re.match(r"[A-Za-z0-9._-]+", spec.strip())
    if name is None:
        return None
    least = re.search(r">=\s*([0-9.]+)", spec)
    extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
    if marker.strip() and not extra:
        return None
    return Requirement(name[0], numbers(least[1]) if least else (), extra[1] if extra else "")


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, to compare by.

    >>> numbers("1.24.0rc1")
    (1, 24, 0)
    """
    return tuple(int(part) for part in re.findall(r"\d+", re.match(r"[0-9.]*", version)[0]))  # type: ignore[index]  # it always matches


def closure(names: list[str]) -> set[str]:
    """These distributions and all that they require, as far as installed."""
    found: set[str] = set()
    queue = list(names)
    while queue:
        name = re.sub(r"[-_.]+", "-", queue.pop()).lower()
        if name in found or _version(name) is None:
            continue
        found.add(name)
        queue += [r.name for line in metadata.requires(name) or () if (r := requirement_of(line)) and not r.extra]
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _size_mb(name: str) -> float:
    files = metadata.files(name) or ()
    return sum(path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file()) / 1e6


def _distribution(requirement: Requirement) -> Finding:
    name, least, extra = requirement
    version = _version(name)
    where = f" ({EXTRAS.get(extra, extra)})" if extra else ""
    wanted = f"towpath[{extra}]" if extra else "towpath"
    if version is None:
        return Finding(name, False, not extra, f"not installed{where}", f"pip install '{wanted}'")
    if numbers(version) < least:
        text = ".".join(map(str, least))
        return Finding(
            name, False, not extra, f"{version} is older than {text}{where}", f"pip install --upgrade '{name}>={text}'", _size_mb(name)
        )
    return Finding(name, True, not extra, f"{version}{where}", size_mb=_size_mb(name))


def _python() -> Finding:
    well = sys.version_info >= (3, 11)
    return Finding(
        "python", well, True, f"{platform.python_version()} on {platform.system()} {platform.machine()}", "use Python 3.11 or later"
    )


def _git() -> Finding:
    path = shutil.which("git")
    if path is None:
        return Finding("git", False, True, "not installed", "install Git: runs are traced to commits")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    return Finding("git", True, True, said.removeprefix("git version ").strip())


def _place(context: typer.Context) -> list[Finding]:
    """The project here, if there is one, and its disk."""
    try:
        project = project_file.load(shared.folder(context), shared.environ())
    except TowpathError as fault:
        return [Finding("project", False, False, fault.what, fault.mend)]
    there = next(place for place in (project.home, *project.home.parents) if place.exists())
    free_gb = shutil.disk_usage(there).free / 1e9
    writable = os.access(there, os.W_OK)
    return [
        Finding("project", True, False, f"{project.name} in {project.root}"),
        Finding("home", writable, True, f"{project.home}", f"let this user write to {there}, or name another place in TOWPATH_HOME"),
        Finding("disk", free_gb >= ROOM_GB, False, f"{free_gb:,.1f} GB free", f"make room: under {ROOM_GB:g} GB a run may fail"),
    ]


def _line(finding: Finding) -> str:
    sign = "ok" if finding.well else "MISSING" if finding.needed else "-"
    size = f"{finding.size_mb:,.0f} MB" if finding.size_mb >= 1 else ""
    line = f"{sign:<8}{finding.part:<20}{size:>8}  {finding.found}"
    return line if finding.well or not finding.mend else f"{line}\n{'':<38}mend: {finding.mend}"
