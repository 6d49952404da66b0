"""`towpath backtest`: the loop over the project's past."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from towpath import quantities
from towpath.backtest.drill import plants_of
from towpath.backtest.play import Options, Played, cost_of_gates, play
from towpath.backtest.table import FIGURES, MonthRow
from towpath.cli import shared
from towpath.clock import machine_s

app = shared.new_app()


@app.command()
def backtest(
    context: typer.Context,
    start: Annotated[
        str | None, typer.Option("--from", metavar="MONTH", help="begin here, such as 2013-04; the months before train the first version")
    ] = None,
    months: Annotated[int | None, typer.Option(help="how many months; all that there are")] = None,
    share: Annotated[str, typer.Option(help="of the rows that are sent as requests")] = "100%",
    drill: Annotated[Path | None, typer.Option(help="a YAML file of faults to plant (docs/backtest.md)")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="a sample: two months, a third of the requests, no drill")] = False,
) -> None:
    """Replay the project's past through the real loop, over real HTTP, on a clock of its own."""
    project = shared.project(context)
    plants = plants_of(drill) if drill and not fast else ()
    options = Options(start=start, count=2 if fast else months, share=1 / 3 if fast else quantities.share(share), plants=plants)
    began = machine_s()

    def tell(text: str) -> None:
        print(f"{machine_s() - began:6.1f} s  {text}", file=sys.stderr, flush=True)

    played = play(project, options, shared.environ(), tell)
    if shared.asked(context).json:
        shared.answer(context, played, "")
    else:
        _show(played, project.model.task)


def _show(played: Played, task: str) -> None:
    console = Console(width=max(Console().width, 150) if not sys.stdout.isatty() else None, highlight=False)
    console.print(_table(played.rows, task))
    metric = FIGURES[task][0]
    cost = cost_of_gates(played.rows, metric)
    if cost is not None:
        console.print(
            f"What the gates cost in clean months: {metric} {cost:+.4f} (without gates, less as served; a release takes its time)."
        )
    for kill in played.kills:
        same = "equal" if kill.before == kill.after else "NOT EQUAL"
        console.print(f"kill -9 in {kill.month}, release {kill.release}: evidence before and after is {same}: {kill.after}.")
    if played.refused:
        console.print(f"Requests that were refused, such as: {played.refused[0]}")
    if played.share < 1:
        console.print(f"{played.share:.0%} of the rows were sent as requests.")
    foot = played.footprint
    console.print(f"Ledger: {played.ledger}. `towpath verify ledger --project {played.home}` checks it again.")
    console.print(f"Console: `towpath ui --project {played.home}`, then http://127.0.0.1:8090")
    memory = f"{foot.memory_mb:,.0f} MB of memory in {foot.processes} processes"
    console.print(f"Footprint: {foot.disk_mb:,.0f} MB on disk, {memory}, {foot.seconds:,.0f} s.")


def _table(rows: list[MonthRow], task: str) -> Table:
    one, two = FIGURES[task]
    table = Table(title="What the loop did, month by month", title_justify="left", show_lines=True)
    for name in ("month", "cause", "served", "decisions", f"{one} / {two}\nas served", "frozen\nfirst model", "retrained\nwithout gates"):
        table.add_column(name)
    for name in ("requests", "exposed to\na bad model", "alarms"):
        table.add_column(name, justify="right")
    for row in rows:
        month = f"{row.month}\n[yellow]{row.planted}[/yellow]" if row.planted else row.month
        versions = ", ".join(f"v{version}" for version in row.versions)
        cells = [_pair(figures, one, two) for figures in (row.served, row.frozen, row.ungated)]
        table.add_row(
            month,
            "\n".join(row.causes),
            versions,
            "\n".join(row.decisions),
            *cells,
            f"{row.requests:,}",
            f"{row.exposed:,}",
            str(row.alarms),
        )
    return table


def _pair(figures: dict[str, float], one: str, two: str) -> str:
    return f"{figures[one]:.3f} / {figures[two]:.3f}" if one in figures else "-"
