"""The steps of a run, through the cache. Nothing that is slow to import is needed to find that none need be executed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from towpath import events as ev
from towpath.executors.local import LocalExecutor
from towpath.pipeline.declared import declared
from towpath.pipeline.engine import Executed, Setting, make
from towpath.pipeline.executor import Resources
from towpath.pipeline.graph import Step, plan
from towpath.pipeline.reach import Project as Code
from towpath.pipeline.seeds import seed_of
from towpath.pipeline.signatures import public
from towpath.pipeline.values import Value
from towpath.project import Project
from towpath.quantities import size_in_words
from towpath.run.bench import Bench

FEW = 8  # reused steps are named
_GPUS = "; GPUs are those that CUDA_VISIBLE_DEVICES names"


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
        _check_needs(project, steps, executor.has)
        done = make(steps, given, setting, executor)
    finally:
        executor.close()
    if reused := [one.step for one in done if one.reused]:
        bench.tell(f"reused: {', '.join(reused) if len(reused) <= FEW else f'{len(reused):,} steps'}")
    bench.told(*(_event(bench.number, one) for one in done))
    return done


def _check_needs(project: Project, steps: Sequence[Step], has: Resources) -> None:
    """Raise ProjectError where a step asks for more than there is at all."""
    for name, wanted in ((step.name, project.steps[step.name]) for step in steps if step.name in project.steps):
        for key, asked, there in (
            ("cpus", wanted.cpus, has.cpus),
            ("memory", wanted.memory or 0, has.memory),
            ("gpus", wanted.gpus, has.gpus),
        ):
            if asked > there:
                asked_for, all_there_is = (size_in_words(one) if key == "memory" else f"{one:g}" for one in (asked, there))
                raise project.fault(
                    "steps",
                    name,
                    key,
                    what=f"step {name!r} asks for {key}: {asked_for}, and all there is: {all_there_is}",
                    mend="ask for less, or run where there is more" + _GPUS * (key == "gpus"),
                )


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
