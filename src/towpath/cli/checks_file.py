"""Checks put into the text of a towpath.yaml: whatever else stands there stays as it was written, comments too."""

from __future__ import annotations

import io
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.util import load_yaml_guess_indent

from towpath.errors import UsageError

_WIDE = 10_000  # lines are as long as their author made them


def with_checks(text: str, name: str, checks: dict[str, Any]) -> str:
    """The text with ``checks`` for the dataset ``name``.

    >>> print(with_checks("data: {rides: rides.csv}  # by bike\\n", "rides", {"rows": {"min": 5}}), end="")
    data:                     # by bike
      rides:
        path: rides.csv
        checks:
          rows: {min: 5}

    Raises:
        UsageError: the dataset has checks already.
    """
    tree, yaml = _read(text)
    data = tree["data"]
    given = data[name]
    if isinstance(given, CommentedMap) and "checks" in given:
        raise UsageError(f"{name} has checks already", mend="`towpath data propose` without --write prints them: take what you want")
    if not isinstance(given, CommentedMap):
        data[name] = given = CommentedMap({"path": given})
    data.fa.set_block_style()
    given.fa.set_block_style()
    given["checks"] = _node(checks)
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()


def alone(name: str, checks: dict[str, Any]) -> str:
    """The same checks as a text of their own, to be read and copied."""
    yaml, out = YAML(), io.StringIO()
    yaml.width = _WIDE
    yaml.dump({"data": {name: {"checks": _node(checks)}}}, out)
    return out.getvalue().rstrip()


def _read(text: str) -> tuple[CommentedMap, YAML]:
    _, _, dash = load_yaml_guess_indent(text)
    step = re.search(r"^\S[^\n]*:[^\n]*\n( +)[^\s#-]", text, re.MULTILINE)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDE
    yaml.indent(mapping=len(step[1]) if step else 2, sequence=(dash or 0) + 2, offset=dash or 0)
    tree: CommentedMap = yaml.load(text)
    return tree, yaml


def _node(value: dict[str, Any]) -> CommentedMap:
    """Checks as a person writes them: a column in a line."""
    node = CommentedMap()
    for key, one in value.items():
        node[key] = _node(one) if key == "columns" else _line(one)
    return node


def _line(value: Any) -> Any:
    node: CommentedMap | CommentedSeq
    if isinstance(value, dict):
        node = CommentedMap({key: _line(one) for key, one in value.items()})
    elif isinstance(value, list):
        node = CommentedSeq(map(_line, value))
    else:
        return value
    node.fa.set_flow_style()
    return node
