"""Folders in which long steps keep how far they came. Each belongs to one execution, and goes when that has ended well."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from towpath.digest import Digest

FORGOTTEN_AFTER = timedelta(days=14)  # since its last change: nobody goes on from it any more


def folder_of(home: Path) -> Path:
    """Where a project's checkpoints lie, each in a folder named by its execution's fingerprint."""
    return home / "checkpoints"


def remove(folder: Path, fingerprints: Iterable[Digest]) -> None:
    """Of executions that ended well. What cannot be removed is left for ``collect``."""
    for fingerprint in fingerprints:
        shutil.rmtree(folder / fingerprint, ignore_errors=True)


def collect(folder: Path, has_ended: Callable[[Digest], bool], now: datetime, *, dry_run: bool = False) -> int:
    """Remove those of executions that ended well and those that nothing has changed for two weeks; how many. Nobody may execute."""
    old = [one for one in (folder.iterdir() if folder.exists() else ()) if has_ended(Digest(one.name)) or _is_forgotten(one, now)]
    if not dry_run:
        remove(folder, (Digest(one.name) for one in old))
    return len(old)


def _is_forgotten(checkpoint: Path, now: datetime) -> bool:
    latest = max(one.lstat().st_mtime for one in (checkpoint, *checkpoint.rglob("*")))
    return now - datetime.fromtimestamp(latest, UTC) > FORGOTTEN_AFTER
