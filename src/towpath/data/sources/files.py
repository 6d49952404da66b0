"""Files and folders of this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from towpath.data.sources.port import Look
from towpath.data.walk import Found, Marks, Told, steady, walk
from towpath.project import Dataset


class Files:
    """A file, a folder of any depth, or what matches a pattern; relative to ``root``."""

    def __init__(self, dataset: Dataset, root: Path) -> None:
        self._dataset, self._root = dataset, root

    def look(self) -> Look:
        return Look(walk(self._root, self._dataset), {})

    def read(self, file: Found, take: Callable[[str], Told]) -> tuple[Told, Marks]:
        return steady(file.path, file.marks, take)
