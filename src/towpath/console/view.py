"""What the console's page shows, as plain frozen values; and how numbers and times are said on it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import log10

import msgspec


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What serves an environment; ``version`` is None where nothing does."""

    environment: str
    version: int | None
    since: datetime | None = None
    because: str = ""
    metrics: dict[str, float] = {}  # at its gates


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of a release: ``where`` is ``done``, ``now`` or ``next``."""

    label: str
    where: str
    because: str = ""


class Guarded(msgspec.Struct, frozen=True, kw_only=True):
    """How one guard stands. ``harm`` and ``safe`` say how much of the evidence is there that would decide, 0 to 1.

    ``challenger`` and ``champion`` are events of requests, in words.
    """

    name: str
    challenger: str
    champion: str
    harm: float
    safe: float


class Releasing(msgspec.Struct, frozen=True, kw_only=True):
    """A release; ``outcome`` is empty while it is going on."""

    number: int
    environment: str
    version: int
    champion: int | None
    share: float
    steps: tuple[Step, ...]
    guards: tuple[Guarded, ...]
    because: str
    started: datetime
    paused: str = ""
    outcome: str = ""
    ended: datetime | None = None


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A run; ``outcome`` is ``going on`` until it ended."""

    number: int
    trigger: str
    cause: str
    started: datetime
    took: timedelta | None
    outcome: str
    because: str
    version: int | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A finding. An ``open`` one is about the version that serves."""

    number: int
    at: datetime
    subject: str
    what: str
    because: str
    open: bool


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the ledger in words."""

    position: int
    at: datetime
    kind: str
    words: str


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page. ``now`` is the project's time; runs, findings and facts come latest first."""

    project: str
    now: datetime
    position: int
    hash: str
    serving: tuple[Serving, ...] = ()
    release: Releasing | None = None
    runs: tuple[Ran, ...] = ()
    findings: tuple[Found, ...] = ()
    facts: tuple[Told, ...] = ()


def guarded(evidence: dict[str, float]) -> tuple[Guarded, ...]:
    """The guards in a release's evidence, whose keys are ``GUARD.NAME`` with ``harm_at`` and ``safe_at`` for all.

    >>> guarded({"harm_at": 100, "safe_at": 10, "errors.log10_harm": 1.0, "errors.log10_safe": -2.0,
    ...          "errors.challenger": 50, "errors.challenger_events": 1, "errors.champion": 450, "errors.champion_events": 2})
    (Guarded(name='errors', challenger='1 of 50', champion='2 of 450', harm=0.5, safe=0.0),)
    """
    names = list(dict.fromkeys(key.partition(".")[0] for key in evidence if key.endswith(".log10_harm")))
    return tuple(_guarded(name, evidence) for name in names)


def _guarded(name: str, evidence: dict[str, float]) -> Guarded:
    numbers = {key.removeprefix(f"{name}."): value for key, value in evidence.items() if key.startswith(f"{name}.")}
    if "requests" in numbers:  # shadowed: the same requests went to both
        both, of = numbers.get("both", 0), numbers["requests"]
        challenger, champion = (f"{numbers.get(f'{arm}_only', 0) + both:,.0f} of {of:,.0f}" for arm in ("challenger", "champion"))
    else:
        challenger, champion = (
            f"{numbers.get(f'{arm}_events', 0):,.0f} of {numbers.get(arm, 0):,.0f}" for arm in ("challenger", "champion")
        )
    return Guarded(
        name=name,
        challenger=challenger,
        champion=champion,
        harm=_part(numbers.get("log10_harm", 0), evidence.get("harm_at", 0)),
        safe=_part(numbers.get("log10_safe", 0), evidence.get("safe_at", 0)),
    )


def _part(log10_value: float, threshold: float) -> float:
    return min(1.0, max(0.0, log10_value / log10(threshold))) if threshold > 1 else 0.0


def span(length: timedelta) -> str:
    """A length of time in its two largest units.

    >>> span(timedelta(days=3, hours=4, minutes=5)), span(timedelta(seconds=0.4))
    ('3 d 4 h', '0 s')
    """
    seconds = max(0, int(length.total_seconds()))
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        parts.append((count, name))
    first = next((index for index, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {name}" for count, name in parts[first : first + 2] if count) or "0 s"


def ago(then: datetime, now: datetime) -> str:
    """How long ago something was.

    >>> ago(datetime(2013, 5, 3), datetime(2013, 5, 3, 0, 0, 30))
    '30 s ago'
    """
    return f"{span(now - then)} ago"
