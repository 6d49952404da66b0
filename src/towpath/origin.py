"""Where an execution that was taken from others comes from."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Whose execution it was. ``key``: the trusted key that signed it, with its owner's name; empty where none did."""

    client: str
    host: str
    at: datetime
    key: str = ""

    def __str__(self) -> str:
        return f"{self.client} on {self.host}, {self.at:%Y-%m-%d %H:%M}, {f'signed by {self.key}' if self.key else 'not signed'}"
