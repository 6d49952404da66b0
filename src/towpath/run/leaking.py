"""Whether the steps before the split tell of the test rows, found by making the rows once more without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from towpath import labels
from towpath.candidate import Sides, leaks
from towpath.errors import TowpathError
from towpath.pipeline import derived
from towpath.pipeline.graph import Step
from towpath.pipeline.tables import decoded, table
from towpath.pipeline.values import Value
from towpath.run.bench import Bench
from towpath.run.workshop import Workshop
from towpath.verdict import Answer, Verdict


def look(bench: Bench, shop: Workshop, steps: Sequence[Step], given: Mapping[str, Value], sides: Sides) -> tuple[Verdict, ...]:
    """The verdict where something leaks; what else there is to say is told.

    Args:
        steps: those that make the rows, the last of them last.
    """
    project, now, rule = bench.project, bench.records.clock.now(), bench.project.split.leaks
    if rule == "ignore" or not steps:
        return ()

    def remake(others: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        values = {name: derived.keep(frame, shop.store, name=name, of={name: given[name].content}) for name, frame in others.items()}
        made = {one.step: one.value for one in shop.aside(steps, {**given, **values})}[project.model.rows]
        return labels.labelled(table(made, shop.store, project.home / "lent", "rows"), project, now)

    try:
        found = leaks.leak(sides, _tables(steps, given, shop), project.model.label.column, remake)
    except LookupError:
        bench.tell("leaks were not looked for: no column of the rows tells from which rows of a dataset they came")
        return ()
    except TowpathError as fault:
        bench.tell(f"leaks were not looked for: without the test rows, {fault.what}")
        return ()
    if found is None:
        return ()
    said = leaks.verdict(found)
    if said.answer is Answer.PASS or rule == "tell":
        bench.tell(f"{said.because}")
        return ()
    return (said,)


def _tables(steps: Sequence[Step], given: Mapping[str, Value], shop: Workshop) -> dict[str, pl.DataFrame]:
    used = {name for step in steps for name in step.inputs.values()}
    return {name: decoded(value, shop.store) for name, value in given.items() if name in used and value.codec in ("snapshot", "table")}
