"""``dvc.lock``: what each stage depended on and made when it was executed last, by MD5, as DVC writes it (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from towpath.data.sources.dvc_files import Member, list_of
from towpath.pipeline.dvc.parameters import FILE as PARAMS
from towpath.pipeline.dvc.stages import Stage

FILE = "dvc.lock"


class Hashed(NamedTuple):
    """A file or a folder as DVC knows it. ``members``: of a folder, its files."""

    md5: str
    size: int
    members: tuple[Member, ...] | None = None
    is_executable: bool = False

    @classmethod
    def folder(cls, members: Iterable[Member], size: int) -> Hashed:
        """A folder by its files, which together have ``size`` bytes."""
        listed = tuple(members)
        return cls(f"{hashlib.md5(list_of(listed), usedforsecurity=False).hexdigest()}.dir", size, listed)


def entry(stage: Stage, dependencies: Mapping[str, Hashed], outputs: Mapping[str, Hashed]) -> dict[str, Any]:
    """What stands for a stage; both mappings are by the path as ``dvc.yaml`` has it."""
    params = sorted(stage.params.items(), key=lambda one: (one[0] != PARAMS, one[0]))
    found: dict[str, Any] = {"cmd": stage.cmd}
    if dependencies:
        found["deps"] = [_item(path, one) for path, one in sorted(dependencies.items())]
    if params:
        found["params"] = {file: dict(sorted(known.items())) for file, known in params}
    if outputs:
        found["outs"] = [_item(path, one) for path, one in sorted(outputs.items())]
    return found


def _item(path: str, one: Hashed) -> dict[str, Any]:
    found = {"path": path, "hash": "md5", "md5": one.md5, "size": one.size}
    if one.members is not None:
        found["nfiles"] = len(one.members)
    return {**found, "isexec": True} if one.is_executable else found


def text(before: str | None, entries: Mapping[str, Mapping[str, Any]]) -> str:
    """The file with these stages anew; others stay as they are in ``before``."""
    yaml = YAML()
    yaml.default_flow_style = False
    known = (yaml.load(before) if before else None) or {"schema": "2.0"}
    stages = known.setdefault("stages", {})
    changed = {name: one for name, one in entries.items() if stages.get(name) != one}
    if before and not changed:
        return before
    stages.update(changed)
    out = StringIO()
    yaml.dump(known, out)
    return out.getvalue()
