"""`towpath data exclude`: rows that no later run sees."""

from __future__ import annotations

import getpass
from typing import Annotated

import msgspec
import polars as pl
import typer

from towpath import events as ev
from towpath import holdings, kept, wiring
from towpath.cli import shared
from towpath.cli.data_named import chosen
from towpath.data import exclude as excluding
from towpath.data import read, sides
from towpath.data.absent import to_check_out
from towpath.data.rows import EXAMPLES
from towpath.data.snapshot import together
from towpath.data.walk import NoFiles, are_tables
from towpath.errors import UsageError
from towpath.project import Project
from towpath.report import data_rows as views
from towpath.report.data_rows import Touched
from towpath.state import State
from towpath.words import in_words
from towpath.world import World

app = shared.new_app()

Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="as `data` in towpath.yaml calls it")]
Reason = Annotated[str, typer.Option("--reason", help="why, for the history")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="say what would be done")]


@app.command()
def exclude(
    context: typer.Context,
    name: Dataset,
    where: Annotated[str | None, typer.Option(metavar="EXPR", help="which rows, in SQL: \"distance > 5000 and origin = 'JFK'\"")] = None,
    reason: Reason = "",
    list_: Annotated[bool, typer.Option("--list", help="all exclusions, the lifted ones too")] = False,
    lift: Annotated[int | None, typer.Option(metavar="NUMBER", help="let an exclusion's rows in again")] = None,
    dry_run: DryRun = False,
) -> None:
    """Leave rows out of every later run: of its checks, its training and its gates. The files stay as they are."""
    project = shared.project(context)
    chosen(project, [name])
    if sum((where is not None, list_, lift is not None)) != 1:
        raise UsageError("exclude does one thing at a time", mend="give one of --where EXPR, --list and --lift NUMBER")
    if list_:
        found = [one for one in kept.state(project).exclusions.all.values() if one.dataset == name]
        shared.answer(context, found, views.exclusions(found))
        return
    if not reason.strip() and not dry_run:
        raise UsageError("a reason is missing", mend='--reason "why", for whoever reads the history')
    world = wiring.world(project)
    if lift is not None:
        event = _lifted(world, name, lift, reason)
        shared.answer(context, event, in_words(event))
    elif where is not None:
        shared.answer(context, one := _excluded(world, name, where, reason, dry_run=dry_run), views.touched(one))


def _lifted(world: World, name: str, number: int, reason: str) -> ev.AnyEvent:
    def choose(state: State) -> list[ev.AnyEvent]:
        if state.exclusions.holding(number).dataset != name:
            raise UsageError(f"exclusion {number} is not of {name}", mend=f"towpath data exclude {name} --list")
        return [ev.ExclusionLifted(exclusion=number, by=getpass.getuser(), because=reason)]

    return world.decide(choose)[1][0]


def _excluded(world: World, name: str, where: str, reason: str, *, dry_run: bool) -> Touched:
    rows = _rows(world.project, name)
    excluding.by_row(rows, where)
    found = rows.filter(excluding.touched(rows, where))
    told = Touched(dataset=name, where=where, rows=found.height, of_rows=rows.height, examples=found.head(EXAMPLES).to_dicts())
    if dry_run:
        return told

    def choose(state: State) -> list[ev.AnyEvent]:
        same = next((one for one in state.exclusions.of(name) if one.where == where), None)
        if same:
            raise UsageError(f"exclusion {same.number} of {name} says the same: {same.where}", mend=f"towpath data exclude {name} --list")
        number = state.exclusions.next_number
        return [ev.RowsExcluded(exclusion=number, dataset=name, where=where, by=getpass.getuser(), because=reason)]

    _, events = world.decide(choose)
    made = next(event for event in events if isinstance(event, ev.RowsExcluded))
    return msgspec.structs.replace(told, exclusion=made.exclusion)


def _rows(project: Project, name: str) -> pl.DataFrame:
    """The rows of the files as they are now."""
    work = sides.of_work(project.data[name], project.root, holdings.store(project), holdings.index(project))
    if not work.here:
        with to_check_out(name, project.data[name], project.root):
            raise NoFiles(f"{name} has no files", mend="put the data there, or mend `path` under `data` in towpath.yaml")
    if not are_tables(file.path for file in work.here):
        raise UsageError(f"{name} is files, not a table: it has no rows", mend="take the files away that are not to be used")
    return together([(file.path, read.read_bytes(work.read(file), file.path)) for file in work.here])
