"""Files lent to a step: a folder that cannot be written, for as long as the step runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Protocol, runtime_checkable

from towpath.digest import Digest, of_file
from towpath.store import Store
from towpath.store.port import corrupt
from towpath.store.trees import FileEntry


@runtime_checkable
class Lends(Protocol):
    """A store that can give an object one more name in the file system."""

    def get_link(self, digest: Digest, target: Path) -> None:
        """Make ``target`` that name. Raises OSError where it cannot be."""
        ...


@contextmanager
def lent(files: dict[str, FileEntry], store: Store, place: Path) -> Iterator[Path]:
    """A new folder below ``place`` with these files by their names in it; it is gone after the block.

    Raises:
        UnknownName, Broken: as ``Store.get``.
        OSError: the folder cannot be written.
    """
    place.mkdir(parents=True, exist_ok=True)
    with import_module("tempfile").TemporaryDirectory(prefix="lent-", dir=place) as folder:  # loaded for steps that take files alone
        for name, file in files.items():
            put(store, file.digest, Path(folder, name))
        folders = [Path(path) for path, _, _ in os.walk(folder)]
        try:
            for one in folders:
                one.chmod(0o555)
            yield Path(folder)
        finally:
            for one in folders:
                one.chmod(0o755)


def put(store: Store, digest: Digest, target: Path) -> None:
    """Make ``target`` a read-only file with an object's bytes: one more name of the store's own file, where that can be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(store, Lends):
        with suppress(OSError):  # another disk: then it is copied
            store.get_link(digest, target)
            if (found := of_file(target)) != digest:
                raise corrupt(digest, found, str(target))
            return
    store.get_file(digest, target)
    target.chmod(0o444)
