"""The user's code: what is called in this process, and what it can reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from towpath.formats.build import FeaturesCode
from towpath.pipeline import functions
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.code.reach import Reached
from towpath.pipeline.functions import Function, named
from towpath.project import Project


@dataclass(frozen=True)
class Source:
    """Functions by name, and the tree that they were loaded from; ``code`` is None where the project names no pipeline."""

    functions: Mapping[str, Function]
    code: Code | None
    root: Path

    @classmethod
    def of(cls, project: Project, root: Path) -> Source:
        """The code of a project that lies in ``root``. Raises as ``functions.load`` does."""
        if not project.pipeline:
            return cls({}, None, root)
        return cls(functions.load(root, project.pipeline), Code(root, project.pipeline), root)

    def function(self, name: str) -> Function:
        """A function by name. Raises UnknownName with the nearest."""
        return named(dict(self.functions), name)

    def reach(self, name: str | None) -> Reached:
        """What a function can reach; nothing where none is named."""
        return self.code.reach(name) if self.code and name else Reached({}, frozenset())

    def weaknesses(self, name: str) -> tuple[str, ...]:
        """What cannot be known of a function, in words."""
        return self.code.weaknesses(name) if self.code else ()

    def features(self, project: Project) -> FeaturesCode | None:
        """The declared `features` function with the sources that it needs."""
        name = project.model.features
        if not name or not self.code:
            return None
        self.function(name)
        return FeaturesCode(module=self.code.pipeline.name, function=name, files=self.code.slice(name))
