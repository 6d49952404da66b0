"""`towpath compare`: versions and runs side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from towpath import kept
from towpath.cli import shared
from towpath.cli.named import named
from towpath.errors import UsageError
from towpath.report.compare import compared, in_words

app = shared.new_app()
Words = Annotated[list[str], typer.Argument(metavar="VERSION | run N ...", help="two or more: `3 5` for versions, `run 3 run 5` for runs")]


@app.command()
def compare(context: typer.Context, words: Words) -> None:
    """Versions or runs side by side: metrics, parameters, data, code, steps, verdicts. What differs comes first."""
    found = named(words, kept.state(shared.project(context)))
    if len(found) < 2:
        raise UsageError(f"{found[0].title} alone cannot be compared", mend="name another one: `towpath compare 3 5`")
    one = compared([column.title for column in found], [column.run for column in found])
    shared.answer(context, one, in_words(one, shared.width()))
