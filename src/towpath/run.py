"""One run: from a commit to a version, or to a reason why not. Every step of it is an event."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from towpath import candidate, kept
from towpath import events as ev
from towpath.candidate import Judged, Rival, Source
from towpath.clock import boot_id
from towpath.data import checks
from towpath.data.checks import Around
from towpath.data.exclude import parts_left, taken_left
from towpath.data.snapshot import Taken, known_facts, see, take
from towpath.digest import Digest, of_value
from towpath.errors import TowpathError, UnknownName
from towpath.executors.local import LocalExecutor
from towpath.formats.errors import NotConvertible
from towpath.formats.package import unpack
from towpath.pipeline import functions, runs
from towpath.pipeline.engine import Executed, Setting, make
from towpath.pipeline.graph import plan
from towpath.pipeline.inputs import no_rows, of_dataset
from towpath.pipeline.reach import Project as Code
from towpath.pipeline.runs import Here, Run
from towpath.pipeline.seeds import seed_of
from towpath.pipeline.signatures import public, takes
from towpath.pipeline.tables import decoded
from towpath.pipeline.worktree import Tree, tree
from towpath.pipeline.worktree import unpack as unpack_tree
from towpath.project import Project
from towpath.project_file import load as load_project
from towpath.release.controller import PRODUCTION
from towpath.state import State
from towpath.triggers import waiting
from towpath.verdict import Answer, Verdict, overall
from towpath.world import World

_JUDGED = (ev.Outcome.REGISTERED, ev.Outcome.REJECTED, ev.Outcome.HELD)
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """What a run works with: the world, the run's number, and the project as the commit declares it."""

    world: World
    number: int
    project: Project
    folder: Path
    environ: Mapping[str, str]
    tell: Tell

    def told(self, *events: ev.AnyEvent) -> None:
        """Append facts of this run."""
        self.world.tell(*events)


class Ended(Exception):
    """A run came to its end early."""

    def __init__(self, outcome: ev.Outcome, because: str) -> None:
        self.outcome, self.because = outcome, because


def run(
    world: World, environ: Mapping[str, str], *, fired: int | None = None, cause: str = "by hand", tell: Tell = lambda text: None
) -> ev.RunEnded:
    """Run once, for the firing of a trigger or by hand. The caller holds the lock of runs.

    A trigger's run executes the commit that is checked out. A run by hand executes uncommitted changes too: they are
    stored, and the version does not pass beyond staging.
    """
    source = tree(world.project.root)
    if fired is not None:
        source = Tree(source.commit)
    patch = world.store.put(source.patch) if source.patch else None
    world.store.sync()
    started = _start(world, source, patch, fired, cause)
    try:
        with tempfile.TemporaryDirectory(prefix="towpath-run-") as folder:
            project = load_project(unpack_tree(world.project.root, source, Path(folder)), environ).placed(
                world.project.root, world.project.home
            )
            outcome, because, version = _through(Bench(world, started.run, project, Path(folder), environ, tell))
    except Ended as end:
        outcome, because, version = end.outcome, end.because, None
    except TowpathError as fault:
        outcome, because, version = ev.Outcome.FAILED, f"{fault.what} (mend: {fault.mend})", None
    except KeyboardInterrupt:
        world.tell(ev.RunEnded(run=started.run, outcome=ev.Outcome.FAILED, because="interrupted"))
        raise
    ended = ev.RunEnded(run=started.run, outcome=outcome, because=because, version=version)
    world.tell(ended)
    return ended


def _start(world: World, source: Tree, patch: Digest | None, fired: int | None, cause: str) -> ev.RunStarted:
    here = Here(host=platform.node(), boot=boot_id(), lock_is_free=True)  # the caller holds it: nobody else does

    def choose(state: State) -> list[ev.AnyEvent]:
        firing = next((one for one in waiting(state.firings, state.runs) if one.run == fired), None)
        if fired is not None and firing is None:
            raise TowpathError(f"run {fired} was not fired, or has begun", mend="nothing is to be done: the loop starts runs by itself")
        lost = [runs.given_up(run, here, world.clock.now()) for run in state.runs.all.values() if run.is_going_on]
        free = max([state.runs.next_number, *(1 + (one.run or 0) for one in state.firings.decisions)])
        started = ev.RunStarted(
            run=firing.run if firing else free,
            trigger=firing.trigger if firing else "command",
            cause=firing.cause if firing else cause,
            commit=source.commit,
            patch=patch,
            host=here.host,
            boot=here.boot,
            pid=os.getpid(),
        )
        return [*lost, started]

    _, events = world.decide(choose)
    return next(event for event in events if isinstance(event, ev.RunStarted))


def _through(bench: Bench) -> tuple[ev.Outcome, str, int | None]:
    taken = _data(bench)
    source = _source(bench)
    made, made_of = _rows(bench, source, taken)
    rows = candidate.labelled(made, bench.project, bench.world.clock.now())
    content = of_value([made_of, rows.height])  # time alone makes more rows mature
    recipe = candidate.recipe(bench.project, source, content)
    state = bench.world.state()
    _stop_if_unchanged(bench, state, recipe)
    bench.tell(f"training on {rows.height:,} rows with a label")
    judged, verdicts = _judge(bench, source, rows, recipe, state)
    said = overall(verdicts)
    bench.tell("\n".join(f"  {verdict.answer.value:12} {verdict.because}" for verdict in verdicts))
    because = "; ".join(verdict.because for verdict in verdicts if verdict.answer is not Answer.PASS)
    if judged is None or said in (Answer.INCONCLUSIVE, Answer.ERROR):
        return ev.Outcome.HELD, because, None
    if said is Answer.FAIL:
        return ev.Outcome.REJECTED, because, None
    return _register(bench, judged.digest)


def _data(bench: Bench) -> dict[str, Taken]:
    """Check and snapshot every dataset. Ends the run when a check fails."""
    store = bench.world.store
    state = bench.world.state()
    accepted = state.runs.last(ev.Outcome.REGISTERED, ev.Outcome.REJECTED, ev.Outcome.HELD)
    seen, taken = {}, {}
    for name, dataset in bench.project.data.items():
        bench.tell(f"reading {name}")
        seen[name] = see(dataset, bench.project.root, store, kept.index(bench.project))
    judged = {name: parts_left(had.parts, state.exclusions.of(name)) for name, had in seen.items()}
    around = Around(now=bench.world.clock.now(), others=judged, code=bench.folder, store=store)
    for name, had in seen.items():
        facts = known_facts(store, accepted.snapshots[name].digest) if accepted and name in accepted.snapshots else None
        verdicts = checks.of_dataset(bench.project, name, judged[name], replace(around, reference=facts))
        bench.told(ev.ChecksJudged(run=bench.number, dataset=name, verdicts=verdicts))
        failed = [verdict for verdict in verdicts if verdict.answer is not Answer.PASS]
        if failed:
            raise Ended(ev.Outcome.STOPPED, "; ".join(f"check `{verdict.gate}`: {verdict.because}" for verdict in failed))
        one, excluded = taken_left(take(name, had.parts, store, kind=had.kind, origin=had.origin), state.exclusions.of(name))
        taken[name], shot = one, one.snapshot
        if excluded:
            bench.tell(f"{excluded:,} of {shot.rows:,} rows of {name} are excluded")
        bench.told(
            ev.SnapshotTaken(
                run=bench.number,
                dataset=name,
                digest=one.digest,
                content=one.facts.content,
                rows=shot.rows,
                files=shot.files,
                excluded=excluded,
            )
        )
    return taken


def _source(bench: Bench) -> Source:
    pipeline = bench.project.pipeline
    if not pipeline:
        return Source({}, None, bench.folder)
    return Source(functions.load(bench.folder, pipeline), Code(bench.folder, pipeline), bench.folder)


def _rows(bench: Bench, source: Source, taken: Mapping[str, Taken]) -> tuple[pl.DataFrame, Digest]:
    """The rows that training and gates share, through the cache, and the digest of what is in them."""
    target, store = bench.project.model.rows, bench.world.store
    if source.code is None or target in taken:
        if target not in taken:
            raise UnknownName("dataset", target, taken)
        if taken[target].snapshot.kind == "files":
            raise no_rows(bench.project)
        return taken[target].frame, taken[target].facts.content
    made = {one.step: one.value for one in _steps(bench, source.code, taken)}[target]
    if made.codec != "table":
        raise no_rows(bench.project)
    return decoded(made, store), made.content


def _steps(bench: Bench, code: Code, taken: Mapping[str, Taken]) -> list[Executed]:
    project, store, home = bench.project, bench.world.store, bench.project.home
    excluded = bench.world.state().exclusions
    given = {name: of_dataset(project, name, one, excluded.of(name), store) for name, one in taken.items()}
    steps = plan([project.model.rows], takes(code), given, public(code))
    setting = Setting(
        code=code,
        pipeline=str(project.pipeline),
        store=store,
        seed=lambda step: seed_of(project.name, step, project.seed),
        logs=home / "logs" / f"run-{bench.number}",
        tell=lambda one: bench.tell(f"step {one.step}: {'reused' if one.reused else f'{one.seconds:.1f} s'}"),
    )
    setting.logs.mkdir(parents=True, exist_ok=True)
    executor = LocalExecutor(bench.folder, project.root, home, bench.environ)
    try:
        done = make(steps, given, setting, executor)
    finally:
        executor.close()
    bench.told(*(_event(bench.number, one) for one in done))
    return done


def _event(run: int, one: Executed) -> ev.StepExecuted:
    return ev.StepExecuted(
        run=run, step=one.step, fingerprint=one.fingerprint, reused=one.reused, seconds=one.seconds, content=one.value.content
    )


def _stop_if_unchanged(bench: Bench, state: State, recipe: Digest) -> None:
    """End the run when an earlier one was made from the same, and what it ended in would come out again.

    A run of uncommitted code answers no commit; a verdict against another champion might be another now.
    """
    dirty = state.runs.all[bench.number].patch is not None
    champion = state.live.champion(PRODUCTION)

    def is_the_same(one: Run) -> bool:
        judged_alike = one.champion == champion or one.outcome is ev.Outcome.REGISTERED
        return one.recipe == recipe and one.outcome in _JUDGED and judged_alike and (dirty or one.patch is None)

    before = next((one for one in state.runs.all.values() if is_the_same(one)), None)
    if before:
        version = f" in version {before.version}" if before.version else ""
        raise Ended(
            ev.Outcome.UNCHANGED, f"nothing it depends on has changed since run {before.number}, which ended{version} as {before.outcome}"
        )


def _judge(bench: Bench, source: Source, rows: pl.DataFrame, recipe: Digest, state: State) -> tuple[Judged | None, tuple[Verdict, ...]]:
    champion = state.live.champion(PRODUCTION)
    try:
        judged = candidate.make(bench.project, source, rows, _rivals(bench, state), bench.world.store)
    except NotConvertible as fault:
        return None, (candidate.unconverted(fault),)
    bench.told(
        ev.CandidatePackaged(
            run=bench.number,
            digest=judged.digest,
            recipe=recipe,
            parameters=candidate.parameters(bench.project, source),
            profile=judged.profile,
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
        return Rival(package=unpack(bench.world.store, state.registry.version(number).digest))
    except TowpathError as fault:
        return Rival(fault=f"version {number}: {fault.what}")


def _register(bench: Bench, digest: Digest) -> tuple[ev.Outcome, str, int | None]:
    def choose(state: State) -> list[ev.AnyEvent]:
        if state.registry.holding(digest):
            return []
        return [ev.VersionRegistered(version=state.registry.next_number, digest=digest, run=bench.number)]

    state, events = bench.world.decide(choose)
    version = state.registry.holding(digest)
    if version is None:
        raise TowpathError(f"package {digest} was not registered", mend="run `towpath verify ledger`")
    bench.world.anchors.add(state.head)
    if not events:
        return ev.Outcome.UNCHANGED, f"it gave the same bytes as version {version.number}", version.number
    return ev.Outcome.REGISTERED, f"version {version.number} passed every gate", version.number
