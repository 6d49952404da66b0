"""`towpath ledger import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from towpath import holdings, kept
from towpath.cli import shared
from towpath.errors import UsageError
from towpath.ledger import entry, imported
from towpath.words import in_words

app = shared.new_app()


@app.callback()
def _ledger() -> None:
    """The ledger of a team."""


@app.command("import")
def import_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="what it is to be called: `towpath history --ledger NAME`")],
    source: Annotated[Path | None, typer.Option("--from", metavar="FILE", help="another ledger.sqlite than this project's own")] = None,
) -> None:
    """Lay a ledger that was kept alone into the team's: it can be read under its name, and its versions are not promoted."""
    project = shared.project(context)
    if not (project.ledger or project.remote):
        raise UsageError(
            "there is no team's ledger to import into", mend="name one in towpath.yaml: `remote:` or `ledger:` (docs/project.md)"
        )
    alone, anchors = kept.ledger_alone(project, source)
    team = kept.ledger(project)
    known = list(team.read())
    event, data = imported.packed(name, list(alone.read()), anchors.all(), known)
    store = holdings.store(project)
    store.put(data)
    store.sync()
    told = entry(event, kept.clock(), id=f"imported:{name}")
    team.append([told], expected=len(known))
    shared.answer(context, event, f"{in_words(event)}\n`towpath history --ledger {name}` tells what is in it")
