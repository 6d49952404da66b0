"""Why a step was executed again: two documents of causes, compared layer by layer. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any, Literal

import msgspec

SHOWN = 8  # digits of a digest


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One cause that differs. ``diff`` has the lines of a unified diff where it is code.

    ``layer``: ``code``, ``command``, ``parameters``, ``inputs``, ``seed``, ``distributions``, ``surroundings``, ``image``; another where a
    document has another.
    """

    layer: str
    name: str
    how: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None
    diff: tuple[str, ...] = ()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs between two documents as ``fingerprint.causes`` makes them, in the order of their layers.

    >>> [change.name for change in differences({"seed": 1, "inputs": {"a": "x"}}, {"seed": 1, "inputs": {"a": "y"}})]
    ['a']
    """
    return [change for layer in dict.fromkeys((*before, *after)) for change in _of_layer(layer, before.get(layer), after.get(layer))]


def _of_layer(layer: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        before, after = before or {}, after or {}
    else:  # one value
        before, after = ({layer: value} if value is not None else {} for value in (before, after))
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        how = _how(name in before, name in after)
        if was != now or how != "changed":
            is_text = layer == "code" or ((layer, name) == ("command", "cmd") and isinstance(was, str) and isinstance(now, str))
            diff = tuple(_diff(was or "", now or "")) if is_text else ()
            yield Change(layer=layer, name=name, how=how, before=was, after=now, diff=diff)


def _how(was_there: bool, is_there: bool) -> Literal["added", "removed", "changed"]:
    return "changed" if was_there and is_there else "added" if is_there else "removed"


def _diff(before: str, after: str) -> Iterator[str]:
    yield from list(unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))[2:]  # without the names of files


def in_words(change: Change) -> str:
    """One line.

    >>> in_words(Change(layer="parameters", name="trees", how="changed", before=200, after=300))
    'parameter trees is 300, was 200'
    """
    match change.layer:
        case "code":
            return f"code: {_defined(change.name)} {'changed' if change.how == 'changed' else f'was {change.how}'}"
        case "command" if change.diff:
            return "the command changed"
        case "inputs":
            return f"input {change.name} {_moved(_digest(change.before), _digest(change.after), change.how, 'has content ')}"
        case "parameters":
            return f"parameter {change.name} {_moved(change.before, change.after, change.how)}"
        case "distributions":
            return f"distribution {change.name} {_moved(_digest(change.before), _digest(change.after), change.how)}"
        case "surroundings":
            return f"the machine's {change.name} {_moved(change.before, change.after, change.how)}"
        case _ if change.name == change.layer:
            return f"{change.layer} {_moved(change.before, change.after, change.how)}"
        case _:
            return f"{change.layer}: {change.name} {_moved(change.before, change.after, change.how)}"


def _defined(key: str) -> str:
    """``module:name`` as people say it; a file is called by its path."""
    module, _, name = key.partition(":")
    if not name:
        return module
    if name == "<order>":
        return "the order in which modules are imported" if module == "<import>" else f"the order of what {module} does on import"
    return f"what {module} does on import" if name == "<import>" else f"{name} of {module}"


def _moved(before: Any, after: Any, how: str, verb: str = "is ") -> str:
    if how == "added":
        return f"is new: {after}"
    return f"{verb}{after}, was {before}" if how == "changed" else f"is gone, was {before}"


def _digest(value: Any) -> Any:
    """The beginning of a digest; another value as it is."""
    return value[:SHOWN] if isinstance(value, str) and len(value) == 64 else value


def layers(changes: list[Change]) -> list[str]:
    """The layers that differ, each once."""
    return list(dict.fromkeys(change.layer for change in changes))
