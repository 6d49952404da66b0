"""`trials`: what a search of a run tried."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from towpath import events as ev
from towpath import holdings, kept
from towpath.cli import shared
from towpath.cli.pictures import draw
from towpath.digest import Digest
from towpath.errors import UnknownName, UsageError
from towpath.search import table
from towpath.search.portfolio import MODEL
from towpath.search.searched import Searched
from towpath.search.trials import Tried
from towpath.state import State

app = shared.new_app()


@app.command()
def trials(
    context: typer.Context,
    run: Annotated[int | None, typer.Argument(metavar="RUN", help="a run's number; the latest that searched, when left out")] = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="draw it: .png, .svg or .html")] = None,
) -> None:
    """What a run's search tried: each trial with its parameters and value; of models that competed, the leaderboard."""
    project = shared.project(context)
    told = _asked(kept.state(project), run)
    found = msgspec.json.decode(holdings.store(project).get(Digest(told.trials_in or "")), type=Searched)
    if picture:
        _draw(found, picture)
    shared.answer(context, found, table.trials(told, found))


def _asked(state: State, run: int | None) -> ev.ParametersChosen:
    searched = {number: one.chosen for number, one in state.runs.all.items() if one.chosen and one.chosen.trials_in}
    if not searched:
        raise UsageError("no run has searched yet", mend="declare a `search` in towpath.yaml, and `towpath run`")
    if run is None:
        return searched[max(searched)]
    if run not in searched:
        raise UnknownName("run that searched", str(run), map(str, searched))
    return searched[run]


def _draw(found: Searched, file: Path) -> None:
    """Of models that competed, the trials of the winner: the others have other parameters."""
    mine = [one for one in found.trials if _model(one) == found.parameters.get(MODEL)]
    weights = import_module("towpath.search.optuna_study").importance(mine, found.space, found.better)
    drawn = import_module("towpath.search.picture").drawn
    draw(file, lambda form: drawn(mine, found.space, found.better, metric=found.metric, importance=weights, form=form))


def _model(tried: Tried) -> object:
    return tried.parameters.get(MODEL)
