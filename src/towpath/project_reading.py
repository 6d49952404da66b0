"""Parts of a project from plain values, every fault with its place; and the schema of the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple, TypeVar, cast, get_args, get_origin

import msgspec

from towpath.errors import UsageError
from towpath.project_fields import Part, default, keys, parted, plain_of, shown

Key = tuple[str | int, ...]
Read = TypeVar("Read", bound=Part)
_NOTHING: Any = object()


class Fault(NamedTuple):
    """What is wrong with the value at ``path``; ``unknown``: it is no key at all, for which another may be missing."""

    path: Key
    what: str
    mend: str
    unknown: bool = False


class Unreadable(ValueError):
    """A value that is no such part. ``faults``: all that is wrong with it, as far as it could be read."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.what for fault in self.faults))


def read(part: type[Read], value: Any) -> Read:
    """The part that plain values (of YAML or JSON) tell of. Raises Unreadable.

    >>> from towpath.project_model import Label
    >>> read(Label, {"column": "late", "after": "1d"}).after
    datetime.timedelta(days=1)
    """
    faults: list[Fault] = []
    found = _read(part, value, (), faults)
    if faults:
        raise Unreadable(faults)
    return cast("Read", found)


def _read(kind: Any, value: Any, path: Key, faults: list[Fault]) -> Any:
    """One value; _NOTHING where a fault was found."""
    inner, marks = parted(kind)
    before = len(faults)
    try:
        for mark in marks:
            value = mark.read(value)
        if isinstance(inner, type) and issubclass(inner, Part):
            if isinstance(value, inner):
                return value
            return _part(inner, inner.short(value), path, faults)
    except (UsageError, ValueError) as fault:
        faults.append(_refused(path, value, fault))
        return _NOTHING
    value = _members(inner, value, path, faults)
    return _NOTHING if len(faults) > before else _leaf(kind, value, path, faults)


def _part(part: type[Part], value: Any, path: Key, faults: list[Fault]) -> Any:
    if not isinstance(value, Mapping):
        return _wrong(Fault(path, f"`{_named(path)}` cannot be {_given(value)}", f"it has keys: {', '.join(keys(part))}"), faults)
    before, found = len(faults), {}
    known = keys(part)
    for key in value.keys() - known.keys():
        near = get_close_matches(str(key), known, n=1)
        there = ", ".join(known)
        mend = f"did you mean `{near[0]}`? (known here: {there}; docs/project.md)" if near else f"known here: {there} (docs/project.md)"
        faults.append(Fault((*path, key), f"unknown key `{_named((*path, key))}`", mend, unknown=True))
    for key, field in known.items():
        if key in value:
            found[field.name] = _read(field.type, value[key], (*path, key), faults)
        elif field.required:
            faults.append(Fault((*path, key), f"`{_named((*path, key))}` is missing", f"add `{key}:`; docs/project.md tells what it means"))
    return _NOTHING if len(faults) > before else part(**found)


def _members(kind: Any, value: Any, path: Key, faults: list[Fault]) -> Any:
    """The value with all that is in it read."""
    options = [option for option in get_args(kind) if option is not type(None)]
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        return tuple(_read(options[0], item, (*path, index), faults) for index, item in enumerate(value))
    if get_origin(kind) is dict and isinstance(value, Mapping):
        of_key, of_value = options
        return {_read(of_key, key, (*path, key), faults): _read(of_value, one, (*path, key), faults) for key, one in value.items()}
    if len(options) == 1 and value is not None and get_origin(kind) is not Literal:  # or None
        return _read(options[0], value, path, faults)
    return value


def _leaf(kind: Any, value: Any, path: Key, faults: list[Fault]) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)  # what `${NAME}` gave is text, whatever it stands for
    except msgspec.ValidationError as fault:
        allowed = [str(word) for word in get_args(kind)] if get_origin(kind) is Literal else []
        if not allowed:
            return _wrong(_refused(path, value, fault), faults)
        near = get_close_matches(str(value), allowed, n=1, cutoff=0.5)
        mend = f"{f'did you mean {near[0]}? ' if near else ''}it is one of: {', '.join(allowed)}"
        return _wrong(Fault(path, f"`{_named(path)}` cannot be {value!r}", mend), faults)


def _wrong(fault: Fault, faults: list[Fault]) -> Any:
    faults.append(fault)
    return _NOTHING


def _refused(path: Key, value: Any, fault: Exception) -> Fault:
    key = _named(path)
    if isinstance(fault, UsageError):
        return Fault(path, f"`{key}`: {fault.what}", fault.mend)
    if isinstance(value, Mapping):  # which may hold a password that was filled in
        return Fault(path, f"`{key}`: {fault}", "docs/project.md tells what may go together")
    return Fault(path, f"`{key}` cannot be {_given(value)}: {fault}", "docs/project.md tells what it may be")


def _given(value: Any) -> str:
    return repr(shown(value) if isinstance(value, str) else value)


def _named(path: Key) -> str:
    return ".".join(map(str, path)) or "the file"


def schema(part: type[Part]) -> dict[str, Any]:
    """The JSON Schema of a part."""
    found = msgspec.json.schema(part)
    for kind in (one for one in Part.__subclasses__() if one.__name__ in found["$defs"]):
        one = found["$defs"][kind.__name__]
        for key, field in keys(kind).items():
            if not field.required:
                one["properties"][key]["default"] = plain_of(field.type, default(field))
        if "short" in vars(kind):
            found["$defs"][kind.__name__] = {"anyOf": [{"type": ["string", "number"]}, one]}
    found["$defs"]["Rate"] = {"type": "string"}
    return {**found["$defs"].pop(part.__name__), "$defs": found["$defs"]}
