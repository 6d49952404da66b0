"""Parameters of a DVC project: files with nested keys, and what stands for ``${key}`` in ``dvc.yaml``."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from towpath.errors import UnknownName, UsageError

FILE = "params.yaml"
_INTERPOLATED = re.compile(r"(?<!\\)\$\{\s*([^{}]+?)\s*\}")


def read(file: Path, name: str) -> Any:
    """What a file of parameters says: YAML, JSON, TOML, or the constants of a Python file. Raises UsageError where it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
        match file.suffix:
            case ".json":
                return json.loads(text)
            case ".toml":
                return tomllib.loads(text)
            case ".py":
                return dict(_constants(ast.parse(text)))
        return YAML(typ="safe").load(text) or {}
    except FileNotFoundError:
        raise UsageError(f"there is no file of parameters {name}", mend="make it, or name the one that is meant under `params`") from None
    except (OSError, ValueError, SyntaxError, YAMLError) as fault:
        first = str(fault).partition("\n")[0]
        raise UsageError(f"the parameters in {name} cannot be read: {first}", mend="mend the file") from None


def _constants(tree: ast.AST) -> Iterator[tuple[str, Any]]:
    """Assignments of constants, those in classes by the name of the class."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name, dict(_constants(node))
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            try:
                value = ast.literal_eval(node.value)
            except ValueError:  # an expression, which is no parameter
                continue
            if isinstance(target, ast.Name | ast.Attribute):
                yield ast.unparse(target).removeprefix("self."), value


def at(known: Any, key: str, source: str) -> Any:
    """The value of a nested key such as ``train.layers[0]``. Raises UnknownName with the nearest keys.

    >>> at({"train": {"layers": [8, 4]}}, "train.layers[0]", "params.yaml")
    8
    """
    found = known
    for part in re.sub(r"\[(\w+)\]", r".\1", key).split("."):
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            raise UnknownName(f"parameter in {source}", key, list(_keys(known)))
    return found


def _keys(known: Any, before: str = "") -> Iterator[str]:
    for key, value in known.items() if isinstance(known, Mapping) else ():
        yield f"{before}{key}"
        yield from _keys(value, f"{before}{key}.")


def interpolated(value: Any, known: Any) -> Any:
    """A value of ``dvc.yaml`` with what ``${key}`` stands for in each text of it; keys of mappings too.

    Raises:
        UnknownName: there is no such parameter.
        UsageError: a list or a mapping cannot stand in a text.

    >>> interpolated(["train --rate ${train.rate}"], {"train": {"rate": 0.1}})
    ['train --rate 0.1']
    """
    if isinstance(value, Mapping):
        return {interpolated(str(key), known): interpolated(one, known) for key, one in value.items()}
    if isinstance(value, list):
        return [interpolated(one, known) for one in value]
    if not isinstance(value, str):
        return value
    if whole := _INTERPOLATED.fullmatch(value):
        found = at(known, whole[1], FILE)
        return found if not isinstance(found, Mapping | list) else _refuse(whole[1])
    return _INTERPOLATED.sub(lambda match: _said(match[1], at(known, match[1], FILE)), value).replace("\\${", "${")


def _said(key: str, value: Any) -> str:
    if isinstance(value, Mapping | list):
        _refuse(key)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse(key: str) -> Any:
    raise UsageError(f"${{{key}}} is a list or a mapping, which is not read here in a text", mend="name one value of it")
