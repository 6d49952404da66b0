"""What steps are given of the datasets."""

from __future__ import annotations

from towpath.data import walk
from towpath.data.manifest import files_of
from towpath.data.snapshot import Taken
from towpath.errors import ProjectError
from towpath.pipeline.execute import Folder, Table
from towpath.project import Project
from towpath.store import Store


def of_dataset(project: Project, name: str, taken: Taken, store: Store) -> Table | Folder:
    """The table of a snapshot, or its files: named as they are below the folder that the dataset's ``path`` begins with."""
    if taken.snapshot.kind == "table":
        return Table(taken.frame, taken.facts.content)
    dataset = project.data[name]
    files = {file.path: file for file in files_of(store, taken.digest)}
    base = walk.base_of(dataset.path, files) if dataset.is_here else ""
    return Folder({walk.below(base, path): file for path, file in files.items()}, taken.facts.content, project.home / "lent")


def rows_of(project: Project, made: Table | Folder) -> Table:
    """What the model is trained on. Raises ProjectError where it is files."""
    if isinstance(made, Folder):
        raise no_rows(project)
    return made


def no_rows(project: Project) -> ProjectError:
    """The error of a model whose ``rows`` are a dataset of files."""
    what = f"the dataset {project.model.rows} is files, and a model is trained on the rows of a table"
    return project.fault("model", "rows", what=what, mend="name a function of the pipeline here that makes rows of these files")
