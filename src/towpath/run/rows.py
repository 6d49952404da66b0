"""The rows that a model is trained on and judged by: those of a dataset, or of the step that makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from towpath.data.snapshot import Taken
from towpath.digest import Digest
from towpath.errors import UnknownName
from towpath.pipeline.graph import Step
from towpath.pipeline.inputs import no_rows, of_dataset
from towpath.pipeline.tables import table
from towpath.pipeline.values import Value
from towpath.run.bench import Bench
from towpath.run.workshop import Workshop


class Rows(NamedTuple):
    """The rows that training and gates share, the digest of what is in them, and the steps that made them of what."""

    frame: pl.DataFrame
    content: Digest
    steps: Sequence[Step] = ()
    given: Mapping[str, Value] = {}


def of_dataset_itself(bench: Bench, taken: Mapping[str, Taken]) -> Rows:
    """Those of the dataset that ``rows`` names. Raises UnknownName, or ProjectError where it is files."""
    target = bench.project.rows
    if target not in taken:
        raise UnknownName("dataset", target, taken)
    if taken[target].snapshot.kind == "files":
        raise no_rows(bench.project)
    return Rows(taken[target].frame, taken[target].facts.content)


def made(bench: Bench, taken: Mapping[str, Taken], shop: Workshop) -> Rows:
    """Through the cache; with them whatever other steps the project wants."""
    target, values = bench.project.rows, given(bench, taken)
    done = shop.make(shop.plan([target, *bench.project.steps], values), values)
    if target in taken:
        return of_dataset_itself(bench, taken)
    value = next(one.value for one in done if one.step == target)
    if value.codec not in ("table", "files"):
        raise no_rows(bench.project)
    frame = table(value, bench.records.store, bench.project.home / "lent", f"step {target!r}")
    return Rows(frame, value.content, shop.plan([target], values), values)


def given(bench: Bench, taken: Mapping[str, Taken]) -> dict[str, Value]:
    """The datasets as steps take them."""
    excluded = bench.records.state().exclusions
    return {name: of_dataset(bench.project, name, one, excluded.of(name), bench.records.store) for name, one in taken.items()}
