"""Whether the steps before the split tell of the test rows, found by making the rows once more without them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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
    """The verdict where something leaks, or where that could not be told; what else there is to say is told.

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

    tables = _tables(steps, given, shop)
    if not tables:
        bench.tell("leaks were not looked for: the rows come from no table, of which the test rows could be dropped")
        return ()
    try:
        said = _said(lambda: leaks.leak(sides, tables, project.model.label.column, remake))
    except leaks.Alike:
        bench.tell("leaks were not looked for: no row of the data is like no other, so that nothing tells what came of which")
        return ()
    if said is None:
        return ()
    if said.answer is Answer.PASS or rule == "tell":
        bench.tell(f"{said.because}")
        return ()
    return (said,)


def _said(look: Callable[[], leaks.Leak | None]) -> Verdict | None:
    try:
        found = look()
    except leaks.Untold as fault:
        return leaks.untold(str(fault), "keep a column of the dataset that tells its rows apart, under its name and as its type")
    except TowpathError as fault:
        return leaks.untold(f"without the test rows, {fault.what}", "let the step do with fewer rows")
    return leaks.verdict(found) if found else None


def _tables(steps: Sequence[Step], given: Mapping[str, Value], shop: Workshop) -> dict[str, pl.DataFrame]:
    used = {name for step in steps for name in step.inputs.values()}
    return {name: decoded(value, shop.store) for name, value in given.items() if name in used and value.codec in ("snapshot", "table")}
