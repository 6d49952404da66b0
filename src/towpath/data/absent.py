"""A dataset whose files are not here, though towpath.lock names them: a fresh clone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from towpath.data import lock
from towpath.data.walk import NoFiles
from towpath.project import Dataset


@contextmanager
def to_check_out(name: str, dataset: Dataset, root: Path) -> Iterator[None]:
    """Let NoFiles say how the files come here, where the lock of the project in ``root`` names them."""
    try:
        yield
    except NoFiles as fault:
        if dataset.is_here and name in lock.read(root):
            fault.mend = f"`towpath data checkout {name}` brings what {lock.LOCK} names"
        raise
