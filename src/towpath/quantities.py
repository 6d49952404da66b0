"""The one small grammar for durations, shares, rates, factors and sizes, wherever a person writes them.

14d  6h  90s  20ms      a duration
10%  0.1                a share, 0 to 1
8/week  1/year          a rate: a count in a period
1.25x                   a factor
2GB  500MB  512MiB      a size in bytes
"""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec

from towpath.errors import UsageError

_UNITS = {
    "us": timedelta(microseconds=1),
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_PERIODS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
_SIZES = {
    **{name: 1000**power for power, name in enumerate(("B", "kB", "MB", "GB", "TB"))},
    **{name: 1024**power for power, name in enumerate(("KiB", "MiB", "GiB", "TiB"), 1)},
}
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"


class Rate(msgspec.Struct, frozen=True):
    """``count`` in each ``period``."""

    count: float
    period: timedelta

    def __str__(self) -> str:
        names = {period: name for name, period in _PERIODS.items()}
        count = int(self.count) if self.count.is_integer() else self.count
        return f"{count}/{names.get(self.period, self.period)}"


def duration(text: str) -> timedelta:
    """Read a duration.

    >>> duration("14d"), duration("20ms")
    (datetime.timedelta(days=14), datetime.timedelta(microseconds=20000))
    """
    match = re.fullmatch(_NUMBER + r"\s*([a-z]+)", text.strip())
    if not match or match[2] not in _UNITS:
        raise _refused("duration", text, f"write a number and one of {', '.join(_UNITS)}: 14d, 6h, 90s, 20ms")
    return float(match[1]) * _UNITS[match[2]]


def written(span: timedelta) -> str:
    """A duration as ``duration`` reads it, in the largest unit that gives a whole number.

    >>> written(timedelta(days=14)), written(timedelta(milliseconds=20))
    ('2w', '20ms')
    """
    units = sorted(_UNITS.items(), key=lambda unit: unit[1], reverse=True)
    name, unit = next((name, unit) for name, unit in units if span % unit == timedelta(0) and (span or name == "s"))
    return f"{span // unit}{name}"


def share(text: str | float) -> float:
    """Read a share: ``10%`` or ``0.1``, between 0 and 1.

    >>> share("12.5%"), share(0.3)
    (0.125, 0.3)
    """
    match = re.fullmatch(_NUMBER + r"\s*(%?)", str(text).strip())
    value = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= value <= 1:
        raise _refused("share", str(text), "write a percentage or a fraction between 0 and 1: 10%, 0.1")
    return value


def rate(text: str) -> Rate:
    """Read a rate.

    >>> rate("8/week")
    Rate(count=8.0, period=datetime.timedelta(days=7))
    >>> str(rate("8/week"))
    '8/week'
    """
    match = re.fullmatch(_NUMBER + r"\s*/\s*([a-z]+)", text.strip())
    if not match or match[2] not in _PERIODS:
        raise _refused("rate", text, f"write a count, a slash and one of {', '.join(_PERIODS)}: 8/week, 1/year")
    return Rate(float(match[1]), _PERIODS[match[2]])


def factor(text: str) -> float:
    """Read a factor.

    >>> factor("1.25x")
    1.25
    """
    match = re.fullmatch(_NUMBER + r"\s*x", str(text).strip())
    if not match:
        raise _refused("factor", str(text), "write a number and an x: 1.25x")
    return float(match[1])


def size(text: str) -> int:
    """Read a size, in bytes.

    >>> size("2GB"), size("1.5 MiB")
    (2000000000, 1572864)
    """
    match = re.fullmatch(_NUMBER + r"\s*([A-Za-z]+)", text.strip())
    if not match or match[2] not in _SIZES:
        raise _refused("size", text, f"write a number and one of {', '.join(_SIZES)}: 2GB, 500MB")
    return int(float(match[1]) * _SIZES[match[2]])


def size_written(size: int) -> str:
    """A size as ``size`` reads it, in the largest unit that gives a whole number.

    >>> size_written(2_000_000_000), size_written(1 << 20), size_written(7)
    ('2GB', '1MiB', '7B')
    """
    name, unit = next(one for one in sorted(_SIZES.items(), key=lambda one: -one[1]) if size % one[1] == 0 and (size or one[1] == 1))
    return f"{size // unit}{name}"


def size_in_words(size: float) -> str:
    """Bytes for people, in powers of ten as disks are sold.

    >>> size_in_words(999), size_in_words(2_048_000), size_in_words(7e12)
    ('999 B', '2.0 MB', '7.0 TB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _refused(kind: str, text: str, mend: str) -> UsageError:
    return UsageError(f"{text!r} is no {kind}", mend=mend)
