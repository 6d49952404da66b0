"""What two versions of a dataset differ in, as a value: files, columns, rows, and how far the columns' values moved."""

from __future__ import annotations

from typing import Any

import msgspec

Row = dict[str, Any]


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Names of files; ``moved`` are pairs of an old and a new name with the same bytes; ``same`` counts those that both have."""

    added: list[str] = []
    removed: list[str] = []
    changed: list[str] = []
    moved: list[tuple[str, str]] = []
    same: int = 0
    size_before: int = 0
    size_after: int = 0

    @property
    def is_same(self) -> bool:
        """Whether every file is where it was, as it was."""
        return not (self.added or self.removed or self.changed or self.moved)


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Columns that only one version has, with their logical type; and those of another type, with both."""

    added: dict[str, str] = {}
    removed: dict[str, str] = {}
    retyped: dict[str, tuple[str, str]] = {}

    @property
    def is_same(self) -> bool:
        """Whether both versions have the same columns, of the same types."""
        return not (self.added or self.removed or self.retyped)


class ChangedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row that both versions have: its key, and of each column that changed the value before and after."""

    key: Row
    columns: dict[str, tuple[Any, Any]]


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows differ, with a few of each kind.

    Without a ``key`` no row is a changed one: it is removed and added. ``by_column``: in how many changed rows each column changed.
    ``before`` and ``after`` are all rows of the versions.
    """

    key: tuple[str, ...] = ()
    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    by_column: dict[str, int] = {}
    some_added: list[Row] = []
    some_removed: list[Row] = []
    some_changed: list[ChangedRow] = []


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a column's values, and the share of the rows that lies in it, before and after."""

    name: str
    before: float
    after: float


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """How far a column's values moved, in the words of drift: ``effect`` is the share of the rows that lies elsewhere than before,
    beyond what chance explains. ``cells`` are given of those that moved most."""

    column: str
    effect: float
    share: float
    chance: float
    because: str
    cells: list[Cell] = []


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions of one dataset. ``rows`` is None, and ``shifts`` has nothing, where it is no table or ``trouble`` says why not.

    The digests are of the snapshots; empty for files that were never added, and where a version does not have the dataset.
    """

    dataset: str
    before: str
    after: str
    digest_before: str = ""
    digest_after: str = ""
    files: Files
    columns: Columns = Columns()
    rows: Rows | None = None
    shifts: list[Shift] = []
    trouble: str = ""
