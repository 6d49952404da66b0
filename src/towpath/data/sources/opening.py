"""From what a dataset declares to its source: the only place that knows the adapters."""

from __future__ import annotations

from pathlib import Path

from towpath.data.sources.files import Files
from towpath.data.sources.port import Source
from towpath.project import Dataset


def opened(dataset: Dataset, root: Path) -> Source:
    """The source of a dataset of the project in ``root``. Nothing is asked of it yet."""
    return Files(dataset, root)
