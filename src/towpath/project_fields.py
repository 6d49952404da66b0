"""What the keys of ``towpath.yaml`` are made of: durations, shares, rates and factors, and the part that has keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from towpath import quantities


def _reads(read: Callable[[str], Any], kind: type) -> BeforeValidator:
    """Takes the value itself or the text of one; a bare number has no unit, so it is refused as text would be."""
    return BeforeValidator(lambda value: value if isinstance(value, kind) else read(str(value)))


Duration = Annotated[
    timedelta,
    _reads(quantities.duration, timedelta),
    PlainSerializer(quantities.written, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["14d", "6h", "90s", "20ms"]}),
]
Share = Annotated[
    float,
    BeforeValidator(quantities.share),
    WithJsonSchema({"type": ["string", "number"], "examples": ["10%", 0.1]}),
]
Rate = Annotated[
    Any,  # quantities.Rate: a msgspec struct, which pydantic passes through
    _reads(quantities.rate, quantities.Rate),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["8/week", "1/year"]}),
]
Factor = Annotated[
    float,
    BeforeValidator(lambda value: quantities.factor(value) if isinstance(value, str) else value),
    WithJsonSchema({"type": "string", "examples": ["1.25x"]}),
]


def shown(place: str) -> str:
    """A place as it may be shown, without its password.

    >>> shown("postgresql://towpath:sesame@host/flights")
    'postgresql://towpath:***@host/flights'
    """
    return re.sub(r"(//[^:/]*):.*@", r"\1:***@", place)


Place = Annotated[
    str,
    PlainSerializer(lambda url: shown(url), return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "examples": ["s3://bucket/prefix", "/mnt/team/project", "postgresql://user:${PASSWORD}@host/database"]}
    ),
]
Scalar = str | int | float | bool


class Part(BaseModel):
    """A place of the file: it has the keys that are declared here and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")
