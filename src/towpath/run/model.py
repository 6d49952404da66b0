"""A run over data: to steps that are made, to a judged candidate, to a version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from towpath import candidate, labels
from towpath import events as ev
from towpath.candidate import Judged, Rival, Sides, Source
from towpath.data.snapshot import Taken
from towpath.digest import Digest, of_value
from towpath.errors import TowpathError, UnknownName
from towpath.formats.errors import NotConvertible
from towpath.formats.package import unpack
from towpath.pipeline.graph import Step
from towpath.pipeline.inputs import no_rows, of_dataset
from towpath.pipeline.reach import Project as Code
from towpath.pipeline.tables import table
from towpath.pipeline.values import Value
from towpath.project_fields import Scalar
from towpath.release.controller import PRODUCTION
from towpath.run import leaking, parameters, steps
from towpath.run.bench import Bench
from towpath.run.data import snapshots
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
    if bench.project.trained is None:
        return steps.only(bench, _given(bench, taken))
    source = Source.of(bench.project, bench.folder)
    if source.code is None and not bench.project.steps:
        return _to_its_end(bench, source, _dataset_rows(bench, taken), None)
    with steps.workshop(bench, source.code or Code(bench.folder, "")) as shop:
        return _to_its_end(bench, source, _made_rows(bench, taken, shop), shop)


def _to_its_end(bench: Bench, source: Source, made: Rows, shop: Workshop | None) -> tuple[ev.Outcome, str, int | None]:
    now = bench.records.clock.now()
    rows = labels.labelled(made.frame, bench.project, now)
    content = of_value([made.content, rows.height])  # time alone makes more rows mature
    state = bench.records.state()
    wanted = parameters.wanted(bench.project, state, bench.number)
    recipe = candidate.recipe(bench.project, source, content, wanted.reused if wanted else None)
    if not bench.afresh:
        _stop_if_unchanged(bench, state, recipe)
    bench.tell(f"training on {rows.height:,} rows with a label")
    due = Due(now, labels.due(made.frame, bench.project, now).height == made.frame.height)
    sides = candidate.sides(bench.project, rows)
    leaked = leaking.look(bench, shop, made.steps, made.given, sides) if shop else ()
    chosen = parameters.chosen(bench, wanted, source, sides)
    judged, verdicts = _judge(bench, source, sides, chosen, recipe, state, shop, leaked, due)
    said = overall(verdicts)
    bench.tell("\n".join(f"  {verdict.answer.value:12} {verdict.because}" for verdict in verdicts))
    because = "; ".join(verdict.because for verdict in verdicts if verdict.answer is not Answer.PASS)
    if judged is None or said in (Answer.INCONCLUSIVE, Answer.ERROR):
        return ev.Outcome.HELD, because, None
    if said is Answer.FAIL:
        return ev.Outcome.REJECTED, because, None
    return _register(bench, judged.digest)


class Due(NamedTuple):
    """The moment that decided which labels were due, and whether all were."""

    by: datetime
    all: bool


class Rows(NamedTuple):
    """The rows that training and gates share, the digest of what is in them, and the steps that made them of what."""

    frame: pl.DataFrame
    content: Digest
    steps: Sequence[Step] = ()
    given: Mapping[str, Value] = {}


def _dataset_rows(bench: Bench, taken: Mapping[str, Taken]) -> Rows:
    target = bench.project.model.rows
    if target not in taken:
        raise UnknownName("dataset", target, taken)
    if taken[target].snapshot.kind == "files":
        raise no_rows(bench.project)
    return Rows(taken[target].frame, taken[target].facts.content)


def _made_rows(bench: Bench, taken: Mapping[str, Taken], shop: Workshop) -> Rows:
    """Through the cache; with them whatever other steps the project wants."""
    target, given = bench.project.model.rows, _given(bench, taken)
    done = shop.make(shop.plan([target, *bench.project.steps], given), given)
    if target in taken:
        return _dataset_rows(bench, taken)
    made = next(one.value for one in done if one.step == target)
    if made.codec not in ("table", "files"):
        raise no_rows(bench.project)
    return Rows(
        table(made, bench.records.store, bench.project.home / "lent", f"step {target!r}"), made.content, shop.plan([target], given), given
    )


def _given(bench: Bench, taken: Mapping[str, Taken]) -> dict[str, Value]:
    """The datasets as steps take them."""
    excluded = bench.records.state().exclusions
    return {name: of_dataset(bench.project, name, one, excluded.of(name), bench.records.store) for name, one in taken.items()}


def _stop_if_unchanged(bench: Bench, state: State, recipe: Digest) -> None:
    """End the run when an earlier one was made from the same, and what it ended in would come out again.

    A run of uncommitted code answers no commit; a verdict against another champion might be another now.
    """
    dirty = state.runs.all[bench.number].patch is not None
    alike = (one for one in state.runs.all.values() if one.recipe == recipe and judged_alike(one, state) and (dirty or one.patch is None))
    if before := next(alike, None):
        raise unchanged(before)


def _judge(
    bench: Bench,
    source: Source,
    sides: Sides,
    chosen: Mapping[str, Scalar],
    recipe: Digest,
    state: State,
    shop: Workshop | None,
    leaked: tuple[Verdict, ...],
    due: Due,
) -> tuple[Judged | None, tuple[Verdict, ...]]:
    champion, store = state.live.champion(PRODUCTION), bench.records.store
    try:
        trained = candidate.train(bench.project, source, sides, chosen, shop=shop)
        judged = candidate.judged(bench.project, trained, sides, _rivals(bench, state), store, beside=leaked)
    except NotConvertible as fault:
        return None, (candidate.unconverted(fault),)
    bench.told(
        ev.CandidatePackaged(
            run=bench.number,
            digest=judged.digest,
            recipe=recipe,
            parameters=candidate.parameters(bench.project, source, chosen),
            profile=judged.profile,
            all_labels_due=due.all,
            labels_by=due.by,
        ),
        ev.GatesJudged(
            run=bench.number,
            digest=judged.digest,
            champion=champion,
            verdicts=judged.verdicts,
            metrics=judged.metrics,
            standard_errors=judged.standard_errors,
        ),
    )
    return judged, judged.verdicts


def _rivals(bench: Bench, state: State) -> dict[str, Rival | str]:
    """The champion, and the best version that was ever live by the figures of its own gates."""
    champion = state.live.champion(PRODUCTION)
    if champion is None:
        return {"champion": "no champion serves yet", "best": "no version was ever live"}
    best = _best(state, bench.project.model.task)
    return {"champion": _rival(bench, state, champion), "best": _rival(bench, state, best)}


def _best(state: State, task: str) -> int:
    metric, sign = {"regression": ("rmse", -1.0), "multiclass": ("accuracy", 1.0)}.get(task, ("auc", 1.0))

    def worth(number: int) -> float:
        figures = state.registry.version(number).candidate.metrics.get("candidate", {})
        return sign * figures[metric] if metric in figures else float("-inf")

    return max(state.live.ever_live(PRODUCTION), key=worth)


def _rival(bench: Bench, state: State, number: int) -> Rival:
    try:
        return Rival(package=unpack(bench.records.store, state.registry.version(number).digest))
    except TowpathError as fault:
        return Rival(fault=f"version {number}: {fault.what}")


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
