"""The sides of the rows with labels: what is trained on, what search and early stopping may look at, and what the gates keep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from towpath.digest import Digest
from towpath.evaluation import Groups, Last, Random, Way
from towpath.evaluation.splits import split
from towpath.labels import times_of
from towpath.project import Project
from towpath.project_model import Holdout


@dataclass(frozen=True)
class Sides:
    """Each row lies on one of them. ``valid`` is None where the project declares none.

    ``of``: the content of the rows, where it is known.
    """

    train: pl.DataFrame
    valid: pl.DataFrame | None
    test: pl.DataFrame
    of: Digest | None = None

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self.train.height + self.test.height + (self.valid.height if self.valid is not None else 0)


def sides(project: Project, rows: pl.DataFrame, *, of: Digest | None = None) -> Sides:
    """The test rows are set aside first, and the others divided as if there were no more.

    Raises:
        ProjectError: a stretch of time is declared, and no dataset has a time.
        UsageError: a side would be empty, or a column cannot be used this way.
    """
    seen, test = split(rows, holdout(project), seed=project.seed)
    return replace(_divided(project, seen, test), of=of)


def for_training(project: Project, rows: pl.DataFrame) -> Sides:
    """None of the rows is kept for the gates."""
    return _divided(project, rows, rows.clear())


def _divided(project: Project, seen: pl.DataFrame, test: pl.DataFrame) -> Sides:
    if project.split.valid is None:
        return Sides(seen, None, test)
    train, valid = split(seen, holdout(project, "valid"), seed=project.seed + 1)  # else the random numbers of these rows were used up
    return Sides(train, valid, test)


def holdout(project: Project, side: Literal["test", "valid"] = "test") -> Way:
    """The declared way to set rows aside."""
    declared = project.split.test if side == "test" else project.split.valid or Holdout(random=0.2)
    if declared.last:
        times = times_of(project)
        if not times:
            what = "`last` needs a time, and no dataset has one"
            raise project.fault("split", side, what=what, mend="add `time: COLUMN` to the dataset")
        return Last(times[0], declared.last)
    return Groups(declared.groups, declared.share) if declared.groups else Random(declared.random or 0.2, declared.stratify)
