"""The parameters of a run: the champion's, or searched; what was tried is kept and told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import NamedTuple

import msgspec

from towpath import events as ev
from towpath.candidate import Sides, Source, choosing
from towpath.digest import Digest, canonical_json
from towpath.executors.measuring import crew
from towpath.pipeline.runs import Run
from towpath.project import Project
from towpath.project_fields import Scalar
from towpath.project_search import Search
from towpath.release.controller import PRODUCTION
from towpath.run.bench import Bench
from towpath.search.port import Conduct
from towpath.search.retraining import Choice, choose, rejected_for
from towpath.search.searched import Searched
from towpath.search.table import named
from towpath.search.trials import Tried
from towpath.state import State


class Wanted(NamedTuple):
    """How parameters are chosen. ``known`` are the champion's, where it has all of them; ``earlier`` the trials that they came of."""

    choice: Choice
    known: dict[str, Scalar] | None
    earlier: Digest | None

    @property
    def reused(self) -> dict[str, Scalar] | None:
        """The parameters, where they are not searched."""
        return self.known if self.choice.way == "reuse" else None


def wanted(project: Project, state: State, run: int) -> Wanted | None:
    """How a run chooses its parameters; None where they are declared."""
    if not choosing.is_searched(project):
        return None
    came_of = _champions_run(state)
    known = choosing.reusable(project, came_of.parameters) if came_of else None
    finding = _finding(state, run)
    declared = (project.search or Search()).retrain
    rejected = rejected_for(finding, state.firings, state.runs) if finding is not None else 0
    choice = choose(declared, searched=known is not None, finding=finding, rejected=rejected)
    return Wanted(choice, known, came_of.chosen.trials_in if came_of and came_of.chosen else None)


def _champions_run(state: State) -> Run | None:
    champion = state.live.champion(PRODUCTION)
    return state.runs.all.get(state.registry.version(champion).candidate.run) if champion else None


def _finding(state: State, run: int) -> int | None:
    """The finding that a run answers."""
    fired = next((one for one in state.firings.decisions if one.run == run), None)
    kind, _, rest = fired.key.partition(":") if fired else ("", "", "")
    return int(rest.partition(":")[0]) if kind == "finding" else None


def chosen(bench: Bench, how: Wanted | None, source: Source, sides: Sides) -> Mapping[str, Scalar]:
    """The parameters that go over the declared ones; told in the ledger."""
    if how is None:
        return {}
    if how.reused is not None:
        bench.tell(f"parameters: the champion's, as {how.choice.because}")
        bench.told(ev.ParametersChosen(run=bench.number, way="reuse", because=how.choice.because, parameters=how.reused))
        return how.reused
    choosing.check(bench.project, source)
    bench.tell(f"searching parameters, as {how.choice.because}")
    found = choosing.searched(
        bench.project,
        source,
        sides,
        Conduct(bench.project.home / "search", crew(bench.project, bench.environ), trials_to(bench)),
        first=[how.known] if how.known else [],
        earlier=_trials(bench, how.earlier) if how.choice.way == "resume" and how.earlier else (),
    )
    keep(bench, how.choice, found)
    return found.parameters


def _trials(bench: Bench, digest: Digest) -> tuple[Tried, ...]:
    store = bench.records.store
    return msgspec.json.decode(store.get(digest), type=Searched).trials if store.has(digest) else ()


def keep(bench: Bench, choice: Choice, found: Searched) -> None:
    """Keep what a search came to with all its trials, and tell it."""
    bench.tell(f"{found.metric} {found.value:.4g} with {named(found.parameters)}")
    kept = bench.records.store.put(canonical_json(found))
    bench.records.store.sync()
    bench.told(
        ev.ParametersChosen(
            run=bench.number,
            way=choice.way,
            because=choice.because,
            parameters=found.parameters,
            metric=found.metric,
            value=found.value,
            trials=len(found.trials),
            seconds=found.seconds,
            trials_in=kept,
        )
    )


def trials_to(bench: Bench) -> Callable[[Tried], None]:
    """Tells trials as they end, counted from 1."""
    numbers = count(1)
    return lambda tried: bench.tell(_in_words(next(numbers), tried))


def _in_words(number: int, tried: Tried) -> str:
    how = f"{tried.value:.4g}" if tried.value is not None else f"{tried.state.value}{f': {tried.because}' if tried.because else ''}"
    return f"  trial {number}: {how}, {named(tried.parameters)}, {tried.seconds:.1f} s"
