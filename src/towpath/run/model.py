"""A run over data: to steps that are made, to a judged candidate, to a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from towpath import candidate, labels
from towpath import events as ev
from towpath.candidate import Judged, Sides, Source
from towpath.digest import Digest, of_value
from towpath.errors import TowpathError
from towpath.formats.errors import NotConvertible
from towpath.pipeline.code.reach import Project as Code
from towpath.project_fields import Scalar
from towpath.release.controller import PRODUCTION
from towpath.run import clusters, leaking, parameters, rows, steps
from towpath.run.bench import Bench
from towpath.run.data import snapshots, values
from towpath.run.parameters import Wanted
from towpath.run.rivals import rivals
from towpath.run.rows import Rows
from towpath.run.unchanged import judged_alike, unchanged
from towpath.run.workshop import Workshop
from towpath.state import State
from towpath.verdict import Answer, Verdict, overall


def through(bench: Bench) -> tuple[ev.Outcome, str, int | None]:
    """The rest of a run that has data.

    Raises:
        Ended: before its end: a check said no, or nothing has changed.
        TowpathError: something broke.
    """
    taken = snapshots(bench)
    if bench.project.clusters:
        return clusters.through(bench, taken, bench.project.clusters)
    if bench.project.trained is None:
        return steps.through(bench, values(bench, taken))
    source = Source.of(bench.project, bench.folder)
    if source.code is None and not bench.project.steps:
        return _to_its_end(bench, source, rows.of_dataset_itself(bench.project, taken), None)
    with steps.workshop(bench, source.code or Code(bench.folder, "")) as shop:
        return _to_its_end(bench, source, rows.made(bench.project, taken, values(bench, taken), shop), shop)


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """What a run has before it trains. Labels were taken that were due ``by`` then; ``all_due``: there are no others."""

    source: Source
    state: State
    shop: Workshop | None
    sides: Sides
    recipe: Digest
    by: datetime
    all_due: bool


def _to_its_end(bench: Bench, source: Source, made: Rows, shop: Workshop | None) -> tuple[ev.Outcome, str, int | None]:
    state = bench.records.state()
    wanted = parameters.wanted(bench.project, state, bench.number)
    ground = _ground(bench, source, made, state, wanted, shop)
    leaked = leaking.look(bench, shop, made.steps, made.given, ground.sides) if shop else ()
    chosen = parameters.chosen(bench, wanted, source, ground.sides)
    judged, verdicts = _judge(bench, ground, chosen, leaked)
    said = overall(verdicts)
    bench.tell("\n".join(f"  {verdict.answer.value:12} {verdict.because}" for verdict in verdicts))
    because = "; ".join(verdict.because for verdict in verdicts if verdict.answer is not Answer.PASS)
    if judged is None or said in (Answer.INCONCLUSIVE, Answer.ERROR):
        return ev.Outcome.HELD, because, None
    if said is Answer.FAIL:
        return ev.Outcome.REJECTED, because, None
    return _register(bench, judged.digest)


def _ground(bench: Bench, source: Source, made: Rows, state: State, wanted: Wanted | None, shop: Workshop | None) -> _Ground:
    """Raises Ended where an earlier run had the same."""
    now = bench.records.clock.now()
    known = labels.labelled(made.frame, bench.project, now)
    content = of_value([made.content, known.height])  # time alone makes more rows mature
    recipe = candidate.recipe(bench.project, source, content, wanted.reused if wanted else None)
    if not bench.afresh:
        _stop_if_unchanged(bench, state, recipe)
    bench.tell(f"training on {known.height:,} rows with a label")
    all_due = labels.due(made.frame, bench.project, now).height == made.frame.height
    sides = candidate.sides(bench.project, known, of=made.content)
    return _Ground(source=source, state=state, shop=shop, sides=sides, recipe=recipe, by=now, all_due=all_due)


def _stop_if_unchanged(bench: Bench, state: State, recipe: Digest) -> None:
    """End the run when an earlier one was made from the same, and what it ended in would come out again.

    A run of uncommitted code answers no commit; a verdict against another champion might be another now.
    """
    dirty = state.runs.all[bench.number].patch is not None
    alike = (one for one in state.runs.all.values() if one.recipe == recipe and judged_alike(one, state) and (dirty or one.patch is None))
    if before := next(alike, None):
        raise unchanged(before)


def _judge(
    bench: Bench, ground: _Ground, chosen: Mapping[str, Scalar], leaked: tuple[Verdict, ...]
) -> tuple[Judged | None, tuple[Verdict, ...]]:
    state, store, sides = ground.state, bench.records.store, ground.sides
    try:
        trained = candidate.train(bench.project, ground.source, sides, chosen, shop=ground.shop)
        judged = candidate.judged(bench.project, trained, sides, rivals(bench, state), store, beside=leaked)
    except NotConvertible as fault:
        return None, (candidate.unconverted(fault),)
    bench.told(
        ev.CandidatePackaged(
            run=bench.number,
            digest=judged.digest,
            recipe=ground.recipe,
            parameters=candidate.parameters(bench.project, ground.source, chosen),
            profile=judged.profile,
            all_labels_due=ground.all_due,
            labels_by=ground.by,
        ),
        ev.GatesJudged(
            run=bench.number,
            digest=judged.digest,
            champion=state.live.champion(PRODUCTION),
            verdicts=judged.verdicts,
            metrics=judged.metrics,
            standard_errors=judged.standard_errors,
        ),
    )
    return judged, judged.verdicts


def _register(bench: Bench, digest: Digest) -> tuple[ev.Outcome, str, int | None]:
    def choose(state: State) -> list[ev.AnyEvent]:
        if state.registry.holding(digest):
            return []
        return [ev.VersionRegistered(version=state.registry.next_number, digest=digest, run=bench.number)]

    state, events = bench.records.decide(choose)
    version = state.registry.holding(digest)
    if version is None:
        raise TowpathError(f"package {digest} was not registered", mend="run `towpath verify ledger`")
    bench.records.anchors.add(state.head)
    if not events:
        return ev.Outcome.UNCHANGED, f"it gave the same bytes as version {version.number}", version.number
    return ev.Outcome.REGISTERED, f"version {version.number} passed every gate", version.number
