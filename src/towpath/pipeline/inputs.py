"""What steps are given of the datasets."""

from __future__ import annotations

from collections.abc import Sequence

from towpath.data import walk
from towpath.data.exclusion import Exclusion
from towpath.data.manifest import files_of
from towpath.data.snapshot import Taken
from towpath.digest import canonical_json
from towpath.errors import ProjectError
from towpath.pipeline.folders import files_value
from towpath.pipeline.values import Snapshot, Value
from towpath.project import Project
from towpath.store import Store


def of_dataset(project: Project, name: str, taken: Taken, excluded: Sequence[Exclusion], store: Store) -> Value:
    """The table of a snapshot, or its files: named as they are below the folder that the dataset's ``path`` begins with."""
    if taken.snapshot.kind == "table":
        shot = store.put(canonical_json(Snapshot(taken.digest, tuple(excluded))))
        return Value("snapshot", shot, taken.facts.content)
    dataset = project.data[name]
    files = {file.path: file for file in files_of(store, taken.digest)}
    base = walk.base_of(dataset.path, files) if dataset.is_here else ""
    return files_value([file._replace(path=walk.below(base, path)) for path, file in files.items()], store)


def no_rows(project: Project) -> ProjectError:
    """The error of a model whose ``rows`` are no table."""
    rows, key = project.rows, "model" if project.trained else "clusters"
    is_what = f"the dataset {rows} is files" if rows in project.data else f"{rows} makes no table"
    what = f"{is_what}, and a model is trained on the rows of a table"
    return project.fault(key, "rows", what=what, mend="name a function of the pipeline here that makes rows of it")
