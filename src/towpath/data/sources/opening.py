"""From what a dataset declares to its source: the only place that knows the adapters."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from towpath.data.sources.files import Files
from towpath.data.sources.port import Source
from towpath.project import Dataset


def opened(dataset: Dataset, root: Path) -> Source:
    """The source of a dataset of the project in ``root``. Little is asked of it yet.

    Raises:
        ModuleNotFoundError: it needs an extra.
        UsageError: what is declared is no address.
    """
    match dataset.source:
        case "files":
            return Files(dataset, root)
        case "delta":
            return _loaded("delta", "Delta", dataset, root)
        case "sql":
            return _loaded("sql", "Query", dataset, root)
        case "bucket":
            return _loaded("objects", "Objects", dataset.path)
        case "dvc":
            return _loaded("dvc", "Dvc", dataset, root)
        case "lakefs":
            return _loaded("lakefs", "LakeFs", dataset.path)


def _loaded(module: str, name: str, *given: object) -> Source:
    """An adapter, whose library is heavy or an extra."""
    source: Source = getattr(import_module(f"towpath.data.sources.{module}"), name)(*given)
    return source
