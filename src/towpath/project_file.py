"""Reading ``towpath.yaml`` (YAML 1.2: ``on`` and ``no`` are words), with a line for every fault."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from towpath.errors import ProjectError, UsageError
from towpath.project import FILE, Declared, Project
from towpath.project_reading import Fault, Key, Unreadable, read
from towpath.project_steps import StepPlan

DVC = "dvc.yaml"
OVERRIDES = {"remote": "TOWPATH_REMOTE", "ledger": "TOWPATH_LEDGER"}  # an empty value takes the key away
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def load(folder: Path, environ: Mapping[str, str]) -> Project:
    """The project of ``folder``, or of the nearest folder above it that has a ``towpath.yaml``.

    ``${NAME}`` in a value is taken from ``environ``; TOWPATH_REMOTE and TOWPATH_LEDGER stand above the file's own keys.

    Raises:
        ProjectError: the file has a fault: it names the line, the key and the mend.
        UsageError: there is no such file.
    """
    file = find(folder)
    tree = _parse(file)
    lines = dict(_lines(tree, ()))
    plain = {**_plain(tree, (), environ, file, lines), **_elsewhere(environ)}
    try:
        declared = read(Declared, plain)
    except Unreadable as fault:
        raise _explain(fault.faults, file, lines) from None
    root = file.parent.resolve()
    project = Project(**asdict(declared), root=root, home=Path(environ.get("TOWPATH_HOME") or root / ".towpath"), lines=lines)
    if project.pipeline and not (root / project.pipeline).is_file():
        raise project.fault(
            "pipeline", what=f"there is no file {project.pipeline}", mend="make the file, or name the one that has your functions"
        )
    return _with_queries(project)


def load_any(folder: Path, environ: Mapping[str, str]) -> Project:
    """As ``load``; where there is no ``towpath.yaml``, that of the nearest ``dvc.yaml``: called as its folder is, with nothing declared."""
    places = (folder, *folder.resolve().parents)
    root = next((place.resolve() for place in places if (place / DVC).is_file()), None)
    if root is None or any((place / FILE).is_file() for place in places):
        return load(folder, environ)
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", root.name).lstrip("-.0123456789_") or "stages"
    home = Path(environ.get("TOWPATH_HOME") or root / ".towpath")
    elsewhere = _elsewhere(environ)
    steps = {DVC: StepPlan()}
    return Project(name=name, steps=steps, root=root, home=home, remote=elsewhere.get("remote"), ledger=elsewhere.get("ledger"))


def _with_queries(project: Project) -> Project:
    """The project with the text of each query that is declared as ``sql: FILE.sql``."""
    data = {
        name: replace(one, sql=_query(project, name, one.sql)) if one.sql and re.fullmatch(r"\S+\.sql", one.sql) else one
        for name, one in project.data.items()
    }
    return project if data == project.data else replace(project, data=data)


def _query(project: Project, name: str, file: str) -> str:
    try:
        return (project.root / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        what = f"the query {file} cannot be read: {fault.strerror if isinstance(fault, OSError) else 'it is not UTF-8'}"
        raise project.fault("data", name, "sql", what=what, mend="name a .sql file of the project, or write the query itself") from None


def _elsewhere(environ: Mapping[str, str]) -> dict[str, str | None]:
    """What the environment says in the file's place: a CI job brings its own, and a backtest keeps to itself."""
    return {key: environ[name] or None for key, name in OVERRIDES.items() if name in environ}


def find(folder: Path) -> Path:
    """The ``towpath.yaml`` of ``folder`` or the nearest folder above."""
    for place in (folder, *folder.resolve().parents):
        if (place / FILE).is_file():
            return place / FILE
    raise UsageError(
        f"there is no {FILE} in {folder.resolve()} or above it",
        mend="go to your project, or start one: `towpath init DATA.csv --label COLUMN`",
    )


def _parse(file: Path) -> CommentedMap:
    try:
        tree = YAML(typ="rt").load(file.read_text(encoding="utf-8"))
    except MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else None
        what = f"not YAML: {fault.problem or fault}"
        raise ProjectError(what, mend="mind indentation, colons and brackets on that line", file=str(file), line=line) from None
    except UnicodeDecodeError as fault:
        raise ProjectError(f"not UTF-8: {fault}", mend="save the file as UTF-8", file=str(file)) from None
    if not isinstance(tree, CommentedMap):
        raise ProjectError("the file holds no keys", mend="it begins with `name:`; `towpath init` writes one", file=str(file), line=1)
    return tree


def _lines(node: Any, path: Key) -> Iterator[tuple[Key, int]]:
    """The line (from 1) of every key and list item."""
    if isinstance(node, CommentedMap):
        for key in node:
            yield (*path, key), node.lc.key(key)[0] + 1
            yield from _lines(node[key], (*path, key))
    elif isinstance(node, CommentedSeq):
        for index, item in enumerate(node):
            yield (*path, index), node.lc.item(index)[0] + 1
            yield from _lines(item, (*path, index))


def _plain(node: Any, path: Key, environ: Mapping[str, str], file: Path, lines: dict[Key, int]) -> Any:
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value, (*path, key), environ, file, lines) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value, (*path, index), environ, file, lines) for index, value in enumerate(node)]
    if isinstance(node, str):
        missing = [name for name in _VARIABLE.findall(node) if name not in environ]
        if missing:
            what = f"the environment has no {missing[0]}"
            raise ProjectError(
                what, mend=f"set it: `export {missing[0]}=...`", file=str(file), line=lines.get(path), key=".".join(map(str, path))
            )
        return _VARIABLE.sub(lambda match: environ[match[1]], str(node))
    return _scalar(node)


def _scalar(node: Any) -> Any:
    """A value without what ruamel remembers of its spelling; a day is its midnight."""
    if isinstance(node, date):
        zone = node.tzinfo if isinstance(node, datetime) else None
        return datetime(*node.timetuple()[:6], getattr(node, "microsecond", 0), tzinfo=zone)
    if isinstance(node, int | float) and not isinstance(node, bool):
        return int(node) if isinstance(node, int) else float(node)
    return node


def _explain(faults: Iterable[Fault], file: Path, lines: dict[Key, int]) -> ProjectError:
    """The first fault: unknown keys before what is missing for them, then by line."""
    first, *others = sorted(faults, key=lambda fault: (not fault.unknown, _line(fault.path, lines) or 0))
    more = f" (and {len(others)} more)" if others else ""
    key = ".".join(map(str, first.path)) or "the file"
    return ProjectError(first.what + more, mend=first.mend, file=str(file), line=_line(first.path, lines), key=key)


def _line(path: Key, lines: dict[Key, int]) -> int | None:
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)
