"""Reading ``towpath.yaml`` (YAML 1.2: ``on`` and ``no`` are words), with a line for every fault."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from towpath.errors import ProjectError, UsageError
from towpath.project import FILE, Project
from towpath.project_fields import shown

Key = tuple[str | int, ...]
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
        project = Project.model_validate(plain)
    except ValidationError as fault:
        raise _explain(fault, plain, file, lines) from None
    root = file.parent.resolve()
    project = project.placed(root, Path(environ.get("TOWPATH_HOME") or root / ".towpath"), lines)
    if project.pipeline and not (root / project.pipeline).is_file():
        raise project.fault(
            "pipeline", what=f"there is no file {project.pipeline}", mend="make the file, or name the one that has your functions"
        )
    return _with_queries(project)


def _with_queries(project: Project) -> Project:
    """The project with the text of each query that is declared as ``sql: FILE.sql``."""
    data = {
        name: one.model_copy(update={"sql": _query(project, name, one.sql)}) if one.sql and re.fullmatch(r"\S+\.sql", one.sql) else one
        for name, one in project.data.items()
    }
    return project if data == project.data else project.model_copy(update={"data": data})


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
    return node


def _explain(fault: ValidationError, plain: Any, file: Path, lines: dict[Key, int]) -> ProjectError:
    """The first fault in our words: unknown keys before what is missing for them, then by line."""
    faults = sorted(fault.errors(), key=lambda one: (one["type"] != "extra_forbidden", _line(_within(one["loc"], plain), lines) or 0))
    first = faults[0]
    path = _within(first["loc"], plain)
    key = ".".join(map(str, path)) or "the file"
    what, mend = _words(first, path, key)
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return ProjectError(what + more, mend=mend, file=str(file), line=_line(path, lines), key=key)


def _words(error: Any, path: Key, key: str) -> tuple[str, str]:
    if error["type"] == "extra_forbidden":
        known = _keys_at(Project, path[:-1])
        near = get_close_matches(str(path[-1]), known, n=1)
        there = ", ".join(known)
        return (
            f"unknown key `{key}`",
            f"did you mean `{near[0]}`? (known here: {there}; docs/project.md)" if near else f"known here: {there} (docs/project.md)",
        )
    if error["type"] == "missing":
        return f"`{key}` is missing", f"add `{path[-1]}:`; docs/project.md tells what it means"
    if error["type"] == "literal_error":
        allowed = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        near = get_close_matches(str(error["input"]), allowed, n=1, cutoff=0.5)
        return f"`{key}` cannot be {error['input']!r}", f"{f'did you mean {near[0]}? ' if near else ''}it is one of: {', '.join(allowed)}"
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, UsageError):
        return f"`{key}`: {cause.what}", cause.mend
    said = str(error["msg"]).removeprefix("Value error, ")
    if isinstance(error["input"], dict):  # which may hold a password that was filled in
        return f"`{key}`: {said}", "docs/project.md tells what may go together"
    given = shown(error["input"]) if isinstance(error["input"], str) else error["input"]
    return f"`{key}` cannot be {given!r}: {said}", "docs/project.md tells what it may be"


def _within(loc: tuple[str | int, ...], plain: Any) -> Key:
    """The part of pydantic's location that is a path in the file: its union tags and `[key]` marks are dropped."""
    path: list[str | int] = []
    for depth, part in enumerate(loc):
        if _has(plain, part):
            plain = plain[part]
        elif not (depth == len(loc) - 1 and isinstance(plain, dict) and part != "[key]"):
            continue
        path.append(part)
    return tuple(path)


def _has(node: Any, part: str | int) -> bool:
    return part in node if isinstance(node, dict) else isinstance(node, list) and isinstance(part, int) and part < len(node)


def _line(path: Key, lines: dict[Key, int]) -> int | None:
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)


def _keys_at(model: type[BaseModel], path: Key) -> list[str]:
    """The keys that the schema knows at a place."""
    kind: Any = model
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation if str(part) in kind.model_fields else None
        else:
            kind = get_args(kind)[-1] if get_args(kind) and get_args(kind)[-1] is not Ellipsis else next(iter(get_args(kind)), None)
        kind = (
            next((option for option in get_args(kind) if isinstance(option, type) and issubclass(option, BaseModel)), kind)
            if type(None) in get_args(kind)
            else kind
        )
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []
