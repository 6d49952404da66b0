"""The rows that a model is trained on and judged by: those of a dataset, or of the step that makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import polars as pl

from towpath.data.exclusion import Exclusion
from towpath.data.snapshot import Taken
from towpath.digest import Digest
from towpath.errors import UnknownName
from towpath.pipeline.graph import Step
from towpath.pipeline.inputs import no_rows, of_dataset
from towpath.pipeline.tables import table
from towpath.pipeline.values import Value
from towpath.pipeline.watching import Executed
from towpath.project import Project
from towpath.store import Store


class Shop(Protocol):
    """Where steps are planned and made."""

    @property
    def store(self) -> Store:
        """What steps are given and make lies there."""
        ...

    def plan(self, targets: Sequence[str], datasets: Mapping[str, Value]) -> list[Step]:
        """The steps that make ``targets`` of ``datasets``."""
        ...

    def make(self, steps: Sequence[Step], given: Mapping[str, Value]) -> list[Executed]:
        """Make steps, in the order in which they ended."""
        ...


class Rows(NamedTuple):
    """The rows that training and gates share, the digest of what is in them, and the steps that made them of what."""

    frame: pl.DataFrame
    content: Digest
    steps: Sequence[Step] = ()
    given: Mapping[str, Value] = {}


def of_dataset_itself(project: Project, taken: Mapping[str, Taken]) -> Rows:
    """Those of the dataset that ``rows`` names. Raises UnknownName, or ProjectError where it is files."""
    target = project.rows
    if target not in taken:
        raise UnknownName("dataset", target, taken)
    if taken[target].snapshot.kind == "files":
        raise no_rows(project)
    return Rows(taken[target].frame, taken[target].facts.content)


def made(project: Project, taken: Mapping[str, Taken], values: Mapping[str, Value], shop: Shop) -> Rows:
    """With them whatever other steps the project wants. ``values``: the datasets as steps take them."""
    target = project.rows
    done = shop.make(shop.plan([target, *project.wanted], values), values)
    if target in taken:
        return of_dataset_itself(project, taken)
    value = next(one.value for one in done if one.step == target)
    if value.codec not in ("table", "files"):
        raise no_rows(project)
    frame = table(value, shop.store, project.home / "lent", f"step {target!r}")
    return Rows(frame, value.content, shop.plan([target], values), values)


def given(project: Project, taken: Mapping[str, Taken], excluded: Callable[[str], Sequence[Exclusion]], store: Store) -> dict[str, Value]:
    """The datasets as steps take them, without the rows that are ``excluded`` from each."""
    return {name: of_dataset(project, name, one, excluded(name), store) for name, one in taken.items()}
