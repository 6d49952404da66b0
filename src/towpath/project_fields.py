"""What the keys of ``towpath.yaml`` are made of: the part that has keys; quantities and places as a person writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from msgspec import NODEFAULT, Meta, Struct
from msgspec.structs import FieldInfo, fields

from towpath import quantities


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place of the file: it has the keys that are declared here and no others.

    ``__post_init__`` may raise ValueError for keys that do not go together.
    """

    @classmethod
    def short(cls, value: Any) -> Any:
        """The keys that a value stands for which is no mapping, where the part may be written shorter."""
        return value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({plain(self)})"


class Written(NamedTuple):
    """On an ``Annotated`` type: how its value is read from what stands in the file, and how it is shown.

    ``read`` takes a value as well, which it gives back; it raises UsageError or ValueError.
    """

    read: Callable[[Any], Any] = lambda value: value
    show: Callable[[Any], Any] = lambda value: value


def _or(kind: type, read: Callable[[str], Any]) -> Callable[[Any], Any]:
    """Takes the value itself or the text of one; a bare number has no unit, so it is refused as text would be."""
    return lambda value: value if isinstance(value, kind) else read(str(value))


def _said(kind: str | list[str], *examples: Any) -> Meta:
    """For the schema of the file."""
    return Meta(extra_json_schema={"type": kind, "examples": list(examples)})


def shown(place: str) -> str:
    """A place as it may be shown, without its password.

    >>> shown("postgresql://towpath:sesame@host/flights")
    'postgresql://towpath:***@host/flights'
    """
    return re.sub(r"(//[^:/]*):.*@", r"\1:***@", place)


Duration = Annotated[
    timedelta, Written(_or(timedelta, quantities.duration), quantities.written), _said("string", "14d", "6h", "90s", "20ms")
]
Share = Annotated[float, Written(quantities.share), _said(["string", "number"], "10%", 0.1)]
Rate = Annotated[quantities.Rate, Written(_or(quantities.Rate, quantities.rate), str), _said("string", "8/week", "1/year")]
Factor = Annotated[float, Written(lambda value: quantities.factor(value) if isinstance(value, str) else value), _said("string", "1.25x")]
Size = Annotated[
    int,
    Written(lambda value: quantities.size(value) if isinstance(value, str) else value, quantities.size_written),
    Meta(ge=1_000_000, extra_json_schema={"type": ["string", "integer"], "examples": ["2GB", "500MB"]}),
]
Place = Annotated[
    str, Written(show=shown), _said("string", "s3://bucket/prefix", "/mnt/team/project", "postgresql://user:${PASSWORD}@host/database")
]
Scalar = str | int | float | bool


@cache
def keys(part: type[Part]) -> dict[str, FieldInfo]:
    """The keys of a part, as they stand in the file, with what is known of each, in order."""
    return {field.encode_name: field for field in fields(part)}


def default(field: FieldInfo) -> Any:
    """The value of a key that is left out."""
    return field.default if field.default is not NODEFAULT else field.default_factory()


def declared(part: Part) -> Iterator[str]:
    """The keys whose values are not their defaults."""
    for key, field in keys(type(part)).items():
        if field.required or getattr(part, field.name) != default(field):
            yield key


def plain(part: Part, kind: type[Part] | None = None) -> dict[str, Any]:
    """A part as values of JSON, every default filled in; passwords in places are not shown. ``kind``: only the keys of this base of it.

    >>> from towpath.project import Retrain
    >>> plain(Retrain())["cooldown"], plain(Retrain())["limit"]
    ('0s', '20/week')
    """
    return {key: plain_of(field.type, getattr(part, field.name)) for key, field in keys(kind or type(part)).items()}


def plain_of(kind: Any, value: Any) -> Any:
    """A value of this type as one of JSON."""
    inner, marks = parted(kind)
    options = [option for option in get_args(inner) if option is not type(None)]
    if value is None:
        return None
    if marks:
        return marks[-1].show(value)
    if isinstance(value, Part):
        return plain(value)
    if isinstance(value, tuple):
        return [plain_of(options[0], one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain_of(options[1], one) for key, one in value.items()}
    return plain_of(options[0], value) if len(options) == 1 else value


def parted(kind: Any) -> tuple[Any, list[Written]]:
    """A type without its annotations, and what they say of its text."""
    if get_origin(kind) is not Annotated:
        return kind, []
    inner, *marks = get_args(kind)
    return inner, [mark for mark in marks if isinstance(mark, Written)]
