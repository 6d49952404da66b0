"""What stands under ``in`` of a step, looked up: a dataset, a step, what a command writes, or files of the project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import msgspec

from towpath.data import walk
from towpath.data.manifest import files_of
from towpath.errors import TowpathError, UsageError
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.folders import files_value, keep_below, keep_files, part_of
from towpath.pipeline.graph import Step
from towpath.pipeline.signatures import public, signature
from towpath.pipeline.values import Snapshot, Value
from towpath.project import Project
from towpath.project_steps import plain_path
from towpath.store import Store, trees

_FILES = "./"  # before the path of files of the project, which no name of a dataset or a step begins with


class Source(NamedTuple):
    """Whose value it is: a dataset's, a step's, or that of files of the project, ``./`` and their path.

    ``part``: of files, the path of those that are taken.
    """

    name: str
    part: str = ""


class Sources:
    """The sources of a project whose commit lies in the folder of ``code``."""

    def __init__(self, project: Project, code: Code) -> None:
        self._project, self._code = project, code
        self._written = {plain_path(path): name for name, plan in project.steps.items() for path in plan.outputs.values()}

    def look_up(self, step: str, text: str) -> Source:
        """What ``text`` means under ``in`` of a step. A command's output goes before a file of the project that has the same path.

        Raises ProjectError where there is nothing of that name or path, or where Git does not know it.
        """
        if text in self._project.data or self._is_step(text):
            return Source(text)
        try:
            path = plain_path(text)
        except ValueError as fault:
            raise self._fault(step, str(fault), "copy the files into the project, or declare them as a dataset under `data`") from None
        for output, maker in self._written.items():
            if path == output or path.startswith(f"{output}/"):
                return Source(maker, path)
        if _dataset_at(self._project, path) or _is_there(self._code.root, path):
            return Source(f"{_FILES}{path}")
        raise self._missing(step, path)

    def _is_step(self, name: str) -> bool:
        return name in self._project.steps or (name.isidentifier() and signature(self._code, name) is not None)

    def _missing(self, step: str, path: str) -> UsageError:
        if (self._project.root / path).exists():
            what = f"step {step!r} takes {path!r}, which lies in the project and is not known to Git"
            return self._fault(step, what, f"commit it (`git add {path}`), or declare it under `data` where it is data")
        known = [*self._project.data, *self._project.steps, *public(self._code), *self._written, *_paths(self._code.root)]
        near = get_close_matches(path, known, n=3)
        mend = f"did you mean {' or '.join(near)}?" if near else "name a dataset, a step, what a step writes, or a file of the project"
        return self._fault(step, f"step {step!r} takes {path!r}, and there is no dataset, step or file called so", mend)

    def _fault(self, step: str, what: str, mend: str) -> UsageError:
        return self._project.fault("steps", step, "in", what=what, mend=mend)


class Given(Mapping[str, Value]):
    """What steps are given: datasets by name, and files of the project, which are put into the store when they are asked for."""

    def __init__(self, project: Project, tree: Path, datasets: Mapping[str, Value], store: Store) -> None:
        self._project, self._tree, self._datasets, self._store = project, tree, datasets, store

    def __contains__(self, name: object) -> bool:
        return name in self._datasets or (isinstance(name, str) and name.startswith(_FILES))

    def __iter__(self) -> Iterator[str]:
        return iter(self._datasets)

    def __len__(self) -> int:
        return len(self._datasets)

    def __getitem__(self, name: str) -> Value:
        if name in self._datasets or not name.startswith(_FILES):
            return self._datasets[name]
        path = name.removeprefix(_FILES)
        dataset = _dataset_at(self._project, path)
        return self._raw(dataset, path) if dataset else _kept(self._tree, path, self._store)

    def of(self, steps: Iterable[Step]) -> dict[str, Value]:
        """All that these steps take and do not make."""
        return {name: self[name] for step in steps for name in dict.fromkeys(step.inputs.values()) if name in self}

    def _raw(self, dataset: str, path: str) -> Value:
        """A dataset's files byte for byte."""
        value = self._datasets[dataset]
        if value.codec == "files":
            return value if not _is_pattern(path) else self._at_home(value, path)
        shot = msgspec.json.decode(self._store.get(value.output), type=Snapshot)
        if shot.exclusions:
            what = f"rows of {dataset} are excluded, and the files {path} have them still"
            raise TowpathError(what, mend=f"take the table: write `{dataset}` under `in`, not its path")
        whole = files_value(list(files_of(self._store, shot.manifest)), self._store)
        return whole if _is_pattern(path) else part_of(whole, path, self._store)

    def _at_home(self, value: Value, path: str) -> Value:
        """Files of a dataset by their paths in the project."""
        base = walk.base_of(path, ())
        return files_value([file._replace(path=f"{base}/{file.path}") for file in trees.files(self._store, value.output)], self._store)


def _is_pattern(path: str) -> bool:
    return any(sign in path for sign in "*?[")


def _is_there(tree: Path, path: str) -> bool:
    """Whether files of the project have that path, or match it."""
    return next(_matching(tree, path), None) is not None


def _dataset_at(project: Project, path: str) -> str | None:
    here = ((name, one.path.removeprefix("./").rstrip("/")) for name, one in project.data.items() if one.is_here)
    return next((name for name, where in here if where == path), None)


def _matching(tree: Path, path: str) -> Iterator[Path]:
    if _is_pattern(path):
        return tree.glob(path)
    return iter([tree / path] if (tree / path).exists() and path not in ("", ".") else [])


def _kept(tree: Path, path: str, store: Store) -> Value:
    if not _is_pattern(path):
        return keep_files(tree / path, store, path)
    found = dict.fromkeys(file for one in sorted(tree.glob(path)) for file in ([one] if one.is_file() else _files(one)))
    return keep_below(tree, found, store)


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _paths(tree: Path) -> list[str]:
    return [str(file.relative_to(tree)) for file in _files(tree)]
