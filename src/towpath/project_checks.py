"""What a dataset must be: the keys below ``checks`` in ``towpath.yaml``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from towpath import quantities
from towpath.project_fields import Duration, Part, Scalar, Share, Written


def _in_order(low: Any, high: Any) -> None:
    """A range that nothing can lie in is a slip of the pen; so is one from a number to a time."""
    if low is None or high is None:
        return
    if isinstance(low, datetime) != isinstance(high, datetime):
        raise ValueError(f"min is {low} and max is {high}: write two numbers or two times")
    if low > high:
        raise ValueError(f"min is {low} and max is {high}: nothing lies between")


def _edge(value: Any) -> Any:
    """A number, or a time; one without a zone is meant in UTC."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            value = datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _said(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _all_or_share(value: Any) -> float:
    return float(value) if isinstance(value, bool) else quantities.share(value)


Unique = Annotated[
    float,
    Written(_all_or_share),
    Meta(extra_json_schema={"type": ["boolean", "string", "number"], "examples": [True, "99%"]}),
]


Edge = Annotated[float | datetime | None, Written(_edge, _said)]


class Bounds(Part, frozen=True, kw_only=True):
    """A range, both ends included; an end left out is open."""

    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        _in_order(self.min, self.max)


class ColumnCheck(Part, frozen=True, kw_only=True):
    """What the values of a column must be. ``share`` of them must keep to min, max, values, regex and length."""

    type: Literal["string", "integer", "number", "boolean", "time"] | None = None
    min: Edge = None
    max: Edge = None
    nulls: Share = 1.0
    values: tuple[Scalar, ...] | None = None
    regex: str | None = None
    length: Bounds | None = None
    share: Share = 1.0
    complete: Share = 0.0
    unique: Unique = 0.0
    distinct: Bounds | None = None
    mean: Bounds | None = None
    quantiles: dict[Share, Bounds] = {}
    fresh: Duration | None = None

    def __post_init__(self) -> None:
        _in_order(self.min, self.max)


class Expression(Part, frozen=True, kw_only=True):
    """A condition in SQL over the columns of one row, and the ``share`` of the rows that must not make it false."""

    holds: str
    share: Share = 1.0

    @classmethod
    def short(cls, value: Any) -> Any:
        return {"holds": value} if isinstance(value, str) else value


class Checks(Part, frozen=True, kw_only=True):
    """What a dataset must be before anything is trained on it; also as a module of pandera schemas or a suite of expectations."""

    files: Bounds | None = None
    bytes: Bounds | None = None
    rows: Bounds = Bounds(min=1)
    columns: dict[str, ColumnCheck] = {}
    unique: tuple[tuple[str, ...], ...] = ()
    expressions: tuple[Expression, ...] = ()
    foreign_keys: dict[str, Annotated[str, Meta(pattern=r"^[^.]+\..+$")]] = {}
    pandera: str | None = None
    expectations: str | None = None
    unsupported: Literal["refuse", "ignore"] = "refuse"

    @classmethod
    def short(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return {"expectations": value} if value.endswith(".json") else {"pandera": value}
