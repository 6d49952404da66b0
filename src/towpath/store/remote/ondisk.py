"""What a store can do besides its port where its objects are files."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from towpath.digest import Digest


@runtime_checkable
class OnDisk(Protocol):
    """A store whose objects are files of this machine."""

    def path(self, digest: Digest) -> Path:
        """Where an object lies, or would lie."""
        ...

    def put_link(self, path: str | Path) -> Digest:
        """Keep a file that nobody will change any more, without copying it."""
        ...
