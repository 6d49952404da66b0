"""What a candidate is made from."""

from __future__ import annotations

from collections.abc import Mapping

from towpath.candidate.source import Source
from towpath.digest import Digest, of_value
from towpath.pipeline.fingerprint import fingerprint, surroundings, versions
from towpath.project import Project
from towpath.project_fields import Scalar, plain
from towpath.project_search import LIBRARIES

_CONVERTED_BY = ("polars", "sklearn", "onnx", "skl2onnx", "onnxmltools")


def recipe(project: Project, source: Source, content: Digest, reused: Mapping[str, Scalar] | None = None) -> Digest:
    """Digest of everything that a candidate and its verdicts follow from.

    Args:
        content: of the rows with labels.
        reused: parameters that are taken from an earlier version instead of being searched.
    """
    model = project.model
    made_by = {
        name: fingerprint(source.reach(name), parameters={}, inputs={}, seed=project.seed)
        for name in (model.features, None if model.is_auto else model.train)
        if name
    }
    declared = {"name": project.name, "model": plain(model), "split": plain(project.split), "gates": project.gates, "seed": project.seed}
    if project.search:
        declared |= {"search": plain(project.search), "reused": dict(reused or {})}
    return of_value(
        {
            "rows": content,
            "code": made_by,
            "declared": declared,
            "surroundings": surroundings(),
            "with": versions([*_CONVERTED_BY, *(LIBRARIES if model.is_auto else [])]),
        }
    )
