"""The ways to set rows aside, as values."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from towpath.errors import UsageError


class Last(msgspec.Struct, frozen=True, tag=True):
    """The rows whose time in ``column`` is less than ``duration`` before the latest one."""

    column: str
    duration: timedelta

    def __post_init__(self) -> None:
        if self.duration <= timedelta(0):
            raise UsageError(f"a holdout of the last {self.duration} holds no row", mend="give a positive duration, such as 14d")


class Random(msgspec.Struct, frozen=True, tag=True):
    """A random ``share`` of the rows (0 to 1, both excluded); of each value of ``stratify`` the same share, to within one row."""

    share: float
    stratify: str | None = None

    def __post_init__(self) -> None:
        _check(self.share)


class Groups(msgspec.Struct, frozen=True, tag=True):
    """All rows of about ``share`` of the values of ``column``.

    The side of a value hangs on the value and the seed alone, so it keeps its side when rows are added.
    """

    column: str
    share: float = 0.2

    def __post_init__(self) -> None:
        _check(self.share)


Way = Last | Random | Groups


def _check(share: float) -> None:
    if not 0 < share < 1:
        raise UsageError(f"a holdout of the share {share:g} leaves one side empty", mend="give a share between 0 and 1, such as 20%")
