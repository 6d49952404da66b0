"""One exclusion: rows that are left out of every later run."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of ``dataset`` for which ``where`` is true. ``lifted`` is when and by whom it ended, and why; empty while it holds."""

    number: int
    dataset: str
    where: str
    by: str
    because: str
    at: datetime
    lifted: str = ""
