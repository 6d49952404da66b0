"""The steps of a run, through the cache. Nothing that is slow to import is needed to find that none need be executed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from towpath import events as ev
from towpath.executors.local import LocalExecutor
from towpath.pipeline.declared import declared
from towpath.pipeline.engine import Executed, Setting, make
from towpath.pipeline.graph import plan
from towpath.pipeline.reach import Project as Code
from towpath.pipeline.seeds import seed_of
from towpath.pipeline.signatures import public
from towpath.pipeline.values import Value
from towpath.run.bench import Bench

FEW = 8  # reused steps are named


def execute(bench: Bench, code: Code, given: Mapping[str, Value], targets: Sequence[str]) -> list[Executed]:
    """Make ``targets`` and all that they need of the datasets ``given``; told in the ledger when they are durable.

    Raises as ``plan`` and ``make`` do.
    """
    project, home = bench.project, bench.project.home
    steps = plan(targets, declared(project, code), given, public(code))
    setting = Setting(
        code=code,
        pipeline=str(project.pipeline),
        store=bench.records.store,
        seed=lambda step: seed_of(project.name, step, project.seed),
        logs=home / "logs" / f"run-{bench.number}",
        plans=project.steps,
        tell=lambda one: None if one.reused else bench.tell(f"step {one.step}: {one.seconds:.1f} s"),
    )
    setting.logs.mkdir(parents=True, exist_ok=True)
    executor = LocalExecutor(project, bench.environ)
    try:
        done = make(steps, given, setting, executor)
    finally:
        executor.close()
    if reused := [one.step for one in done if one.reused]:
        bench.tell(f"reused: {', '.join(reused) if len(reused) <= FEW else f'{len(reused):,} steps'}")
    bench.told(*(_event(bench.number, one) for one in done))
    return done


def _event(run: int, one: Executed) -> ev.StepExecuted:
    return ev.StepExecuted(
        run=run, step=one.step, fingerprint=one.fingerprint, reused=one.reused, seconds=one.seconds, content=one.value.content
    )


def only(bench: Bench, given: Mapping[str, Value]) -> tuple[ev.Outcome, str, None]:
    """The whole of a run that trains no model. Raises ProjectError where there is no pipeline."""
    project = bench.project
    if not project.pipeline:
        raise project.fault("steps", what="there is no pipeline to take the steps from", mend="name the file: `pipeline: FILE.py`")
    done = execute(bench, Code(bench.folder, project.pipeline), given, list(project.steps))
    reused = sum(one.reused for one in done)
    return ev.Outcome.EXECUTED, f"{len(done):,} step{'s' if len(done) != 1 else ''}, {reused:,} of them reused", None
