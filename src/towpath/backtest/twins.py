"""What would have been: the first model, frozen; and a model retrained every month without any gate, on the same deliveries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from towpath.backtest.arrivals import Month
from towpath.backtest.drill import Plant, planted, spoiler
from towpath.backtest.player import Past
from towpath.candidate import Source, for_training, train
from towpath.errors import TowpathError
from towpath.events import Outcome
from towpath.formats.build import trained_answerer
from towpath.formats.package import unpack
from towpath.formats.port import Scores
from towpath.labels import labelled
from towpath.pipeline.calling import in_memory
from towpath.pipeline.runs import Run
from towpath.project import Project
from towpath.state import State
from towpath.store import Store

Answerer = Callable[[pl.DataFrame], Scores]


def frozen(state: State, store: Store) -> Answerer:
    """The first version that ever served."""
    return unpack(store, state.registry.version(state.live.ever_live("production")[0]).digest).answerer()


def ungated(project: Project, state: State, store: Store, past: Past, plants: Sequence[Plant], month: Month) -> Answerer | None:
    """The model that a monthly retraining without gates would serve in ``month``; None where its training broke.

    The candidate of the month's first run is that model, whatever the gates said of it. Where checks stopped the run
    before it trained, it is trained here on what had been delivered, with columns forced into the types they had before.
    """
    first = next((run for run in state.runs.all.values() if run.started >= month.start and run.trigger == "new_rows"), None)
    if first and first.started < month.end and first.candidate:
        return unpack(store, first.candidate).answerer()
    if first and first.started < month.end and first.outcome is Outcome.STOPPED:
        return _trained(project, past, plants, month, first)
    return None


def _trained(project: Project, past: Past, plants: Sequence[Plant], month: Month, run: Run) -> Answerer | None:
    frames = {name: delivered(project, parts, name, plants, month) for name, parts in past.datasets.items()}
    source = Source.of(project, project.root)
    try:
        rows = labelled(in_memory(project.model.rows, source.functions, frames, project.root), project, month.start)
        return trained_answerer(train(project, source, for_training(project, rows)), rows.drop(project.model.label.column))
    except TowpathError:
        return None


def delivered(project: Project, parts: Mapping[Month, pl.DataFrame], name: str, plants: Sequence[Plant], now: Month) -> pl.DataFrame:
    """A dataset as it lay there when ``now`` began: the last month spoilt, if it was, and forced into the first month's types."""
    arrived = {month: part for month, part in parts.items() if month < now}
    types = next(iter(arrived.values())).schema
    last = max(arrived)
    for plant in planted(plants, str(last)):
        if plant.spoil and plant.data == name:
            arrived[last] = spoiler(project.root, plant)(arrived[last]).cast(types, strict=False)
    return pl.concat([part.cast(types, strict=False) for part in arrived.values()])
