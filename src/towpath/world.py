"""What one project's loop works with: the project and the ports, opened once and passed on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from towpath.journal import Journal
from towpath.records import Records


@dataclass(frozen=True)
class World(Records):
    """One project and everything it reads from and writes to."""

    journal: Journal

    @property
    def spool(self) -> Path:
        """Where workers leave what they answered, until it is committed to the journal."""
        return self.project.home / "spool"
