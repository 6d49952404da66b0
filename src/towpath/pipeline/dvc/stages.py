"""The stages of a ``dvc.yaml``, read; what is not supported is refused by its name and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from towpath.errors import ProjectError, UsageError
from towpath.pipeline.dvc import parameters

FILE = "dvc.yaml"
_OUTPUTS = ("outs", "metrics", "plots")
_KNOWN = {"cmd", "deps", "params", "wdir", "frozen", "always_changed", "desc", "meta", *_OUTPUTS}
_LATER = {"foreach", "do", "matrix", "vars"}


class Output(NamedTuple):
    """A file or folder that a stage makes, by its path in the project. ``cached``: DVC keeps its bytes; ``persists``: it is not removed
    before the stage executes.
    """

    path: str
    written: str  # as dvc.yaml has it, relative to the stage's wdir
    cached: bool
    persists: bool


class Stage(NamedTuple):
    """A stage. Paths are relative to the project, but the keys of ``params``, files that hold parameters, and what is ``written``.

    ``dependencies``: the path as it is written, by the path in the project. ``params``: their values by file and key.
    """

    name: str
    cmd: str | list[str]
    wdir: str
    dependencies: dict[str, str]
    outputs: tuple[Output, ...]
    params: dict[str, dict[str, Any]]
    is_frozen: bool
    always_changed: bool

    @property
    def commands(self) -> tuple[str, ...]:
        return (self.cmd,) if isinstance(self.cmd, str) else tuple(self.cmd)


def read(root: Path) -> dict[str, Stage]:
    """The stages of the project in ``root``, in their order.

    Raises ProjectError with the line of what is not understood, or of a parameter that is not there.
    """
    file = root / FILE
    try:
        tree = YAML(typ="rt").load(file.read_text(encoding="utf-8"))
    except MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else None
        raise ProjectError(f"not YAML: {fault.problem}", mend="mend that line", file=str(file), line=line) from None
    except FileNotFoundError:
        raise UsageError(f"there is no {FILE} in {root}", mend="go to the project of DVC, or run without --dvc") from None
    stages = tree.get("stages") if isinstance(tree, CommentedMap) else None
    if not isinstance(stages, CommentedMap) or not stages:
        raise ProjectError("it has no `stages`", mend="`dvc stage add` makes one", file=str(file), line=1)
    if "vars" in tree:
        raise _refused("vars", file, tree.lc.key("vars")[0] + 1)
    known = parameters.read(root / parameters.FILE, parameters.FILE) if (root / parameters.FILE).is_file() else {}
    return {str(name): _stage(str(name), stages, root, known) for name in stages}


def _refused(key: str, file: Path, line: int) -> ProjectError:
    what = f"`{key}` is not read here"
    return ProjectError(what, mend="write the stages out, one by one; `${key}` of params.yaml is read", file=str(file), line=line, key=key)


def _stage(name: str, stages: Any, root: Path, known: Any) -> Stage:
    file, line, keys = root / FILE, stages.lc.key(name)[0] + 1, stages[name]
    if not isinstance(keys, CommentedMap):
        raise ProjectError(f"stage {name!r} has no keys", mend="give it `cmd`", file=str(file), line=line)
    for key in keys:
        if key in _LATER:
            raise _refused(f"{name}.{key}", file, keys.lc.key(key)[0] + 1)
        if key not in _KNOWN:
            mend = f"known here: {', '.join(sorted(_KNOWN))}"
            raise ProjectError(f"stage {name!r} has an unknown key `{key}`", mend=mend, file=str(file), line=keys.lc.key(key)[0] + 1)
    try:
        return _understood(name, parameters.interpolated(keys, known), root)
    except UsageError as fault:
        raise ProjectError(f"stage {name!r}: {fault.what}", mend=fault.mend, file=str(file), line=line, key=name) from None


def _understood(name: str, keys: dict[str, Any], root: Path) -> Stage:
    if not keys.get("cmd"):
        raise UsageError("it has no `cmd`", mend="give it one; a stage of data alone is a `.dvc` file")
    wdir = _inside(".", str(keys.get("wdir", ".")))
    dependencies = {_inside(wdir, written): written for written, _ in _entries(keys.get("deps"))}
    return Stage(
        name=name,
        cmd=[str(one) for one in keys["cmd"]] if isinstance(keys["cmd"], list) else str(keys["cmd"]),
        wdir=wdir,
        dependencies=dependencies,
        outputs=tuple(
            Output(_inside(wdir, path), path, flags.get("cache", True) is not False, flags.get("persist", False) is True)
            for kind in _OUTPUTS
            for path, flags in _entries(keys.get(kind))
        ),
        params=_params(keys.get("params"), wdir, root),
        is_frozen=keys.get("frozen") is True,
        always_changed=keys.get("always_changed") is True,
    )


def _entries(listed: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Paths with their flags."""
    for one in listed or ():
        if isinstance(one, Mapping):
            yield from ((str(path), flags or {}) for path, flags in one.items())
        else:
            yield str(one), {}


def _inside(wdir: str, path: str) -> str:
    """A path as it is in the project."""
    if "://" in path or PurePosixPath(path).is_absolute():
        raise UsageError(f"{path!r} lies outside of the project, which is not read here", mend="bring it in by `dvc import-url`")
    whole = normpath(f"{wdir}/{path}")
    if whole.startswith(".."):
        raise UsageError(f"{path!r} lies outside of the project, which is not read here", mend="begin at the folder above both")
    return whole


def _params(listed: Any, wdir: str, root: Path) -> dict[str, dict[str, Any]]:
    wanted: dict[str, list[str] | None] = {}
    for one in listed or ():
        if isinstance(one, Mapping):
            wanted |= {str(file): [str(key) for key in keys] if keys else None for file, keys in one.items()}
        else:
            wanted[parameters.FILE] = [*(wanted.get(parameters.FILE) or ()), str(one)]
    found = {}
    for file, keys in wanted.items():
        known = parameters.read(root / wdir / file, file)
        found[file] = {key: parameters.at(known, key, file) for key in keys} if keys is not None else dict(known)
    return found
