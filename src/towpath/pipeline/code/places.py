"""Where a project's own modules lie: below its root, and beside its pipeline's file, as for a notebook that stands in either."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Places(msgspec.Struct, frozen=True):
    """The folders in which the project's imports are looked up, first one first."""

    folders: tuple[Path, ...]

    def file(self, module: str) -> Path | None:
        """The source file of a module of the project; None where it has none of that name, or a folder without code of its own."""
        relative = Path(*module.split("."))
        for folder in self.folders:
            for candidate in (folder / relative / "__init__.py", folder / relative.with_suffix(".py")):
                if candidate.is_file():
                    return candidate
        return None

    def folders_of(self, module: str) -> list[Path]:
        """The folders of that name that hold modules."""
        relative = Path(*module.split("."))
        return [folder / relative for folder in self.folders if next((folder / relative).rglob("*.py"), None)]


def places(root: Path, pipeline: str) -> Places:
    """The places of a project whose pipeline is the file ``pipeline``, relative to ``root``."""
    beside = (root / pipeline).parent if pipeline else root
    return Places((root,) if beside == root else (root, beside))


def module_name(pipeline: str) -> str:
    """A file relative to the root as a module.

    >>> module_name("project/pipeline.py")
    'project.pipeline'
    """
    return ".".join(Path(pipeline).with_suffix("").parts)
