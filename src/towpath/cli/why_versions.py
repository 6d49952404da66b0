"""`why A B`: what two versions differ in, and how much of the change of each metric comes from which layer."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import typer

from towpath import holdings, kept
from towpath.cli import shared
from towpath.errors import TowpathError
from towpath.project import Project
from towpath.proof.attribution import Side, apart, attributed
from towpath.proof.ingredients import check, of_version
from towpath.proof.made import Place
from towpath.registry import Version
from towpath.report.attribution import Apart, Attributed, in_words
from towpath.state import State


def explain(context: typer.Context, project: Project, state: State, found: Sequence[Version], *, attribute: bool) -> None:
    """Print it, as words or as JSON."""
    with tempfile.TemporaryDirectory(prefix="towpath-why-") as folder:
        place = _place(context, project, Path(folder))
        a, b = (_side(one, project, state, place) for one in found)
        differing = apart(a, b, place, state.erasures.objects)
        one = Attributed(apart=differing)
        if attribute and differing.layers:
            one = _attributed(a, b, differing, place, found, state)
    shared.answer(context, one, in_words(one, shared.width()))


def _place(context: typer.Context, project: Project, logs: Path) -> Place:
    quiet = shared.asked(context).json
    return Place(
        root=project.root,
        home=project.home,
        store=holdings.near(project),
        environ=shared.environ(),
        logs=logs,
        tell=lambda text: None if quiet else print(text, file=sys.stderr),
    )


def _side(version: Version, project: Project, state: State, place: Place) -> Side:
    run = state.runs.all[version.candidate.run]
    return Side(version.number, run, of_version(version, state, kept.ledger(project).read(), place.store))


def _attributed(a: Side, b: Side, differing: Apart, place: Place, found: Sequence[Version], state: State) -> Attributed:
    try:
        for version in found:
            check(version, state, place.store)
        return Attributed(apart=differing, candidates=2 ** len(differing.layers), attributions=attributed(a, b, differing, place))
    except TowpathError as fault:
        return Attributed(apart=differing, trouble=f"what each layer did cannot be told: {fault.what} ({fault.mend})")
