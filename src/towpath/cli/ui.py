"""`towpath ui`."""

from __future__ import annotations

from typing import Annotated

import typer

from towpath import kept
from towpath.cli import shared
from towpath.console.reading import Reading
from towpath.console.server import Console

app = shared.new_app()


@app.command()
def ui(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="where the page is, on 127.0.0.1; 0: any free port")] = 8090,
) -> None:
    """Show the console's page, without the loop: what is live, the release, runs, findings, the ledger. Until Ctrl-C."""
    project = shared.project(context)
    replayed = project.home / "clock"  # a backtest leaves its clock where it stood
    clock = kept.clock(replayed if replayed.exists() else None)
    with Console("127.0.0.1", port, Reading(project.name, kept.ledger(project), clock.now)) as console:
        shared.answer(context, {"address": console.address}, f"the console is at {console.address}")
        console.serve_forever()
