"""The run of a DVC project: its stages as steps, what they make left as DVC leaves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from towpath import events as ev
from towpath import holdings
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.dvc import stages as dvc_yaml
from towpath.pipeline.dvc.leaving import Leaving
from towpath.pipeline.dvc.outside import value_of
from towpath.pipeline.dvc.stages import Stage
from towpath.pipeline.dvc.steps import FILES, Ask, described, outside
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.folders import part_of
from towpath.pipeline.graph import Step, plan
from towpath.pipeline.values import Value
from towpath.pipeline.watching import Executed
from towpath.run import steps
from towpath.run.bench import Bench


def through(bench: Bench) -> tuple[ev.Outcome, str, None]:
    """The whole of it. What stages made before another failed is left as well.

    Raises:
        ProjectError: ``dvc.yaml`` has something that is not read here.
        StepFailed, UsageError: as other runs.
    """
    store, index, root = bench.records.store, holdings.index(bench.project), bench.project.root
    stages = dvc_yaml.read(bench.folder)
    known = described(stages, mark=f"run {bench.number}", is_there=_is_in(root), is_known=_is_in(bench.folder))
    every = [step for name in stages if (step := known(name))]
    planned = plan([step.name for step in every], known, [f"{FILES}{path}" for path in outside(every)], stages)
    made = {output.path for stage in stages.values() if not stage.is_frozen for output in stage.outputs}
    given = {f"{FILES}{path}": value_of(path, root, bench.folder, store, index, made) for path in outside(planned)}
    leaving = Leaving(root, store, index, bench.project.home / "md5.json")
    with steps.workshop(bench, Code(bench.folder, "")) as shop:
        try:
            done = shop.make(planned, given)
        except StepFailed:
            leaving.leave(_made(bench, stages, planned, given, shop.done))
            raise
    leaving.leave(_made(bench, stages, planned, given, done))
    reused = sum(one.reused for one in done)
    return ev.Outcome.EXECUTED, f"{len(done):,} stage{'s' if len(done) != 1 else ''}, {reused:,} of them reused", None


def _is_in(folder: Path) -> Ask:
    return lambda path: (folder / path).exists()


def _made(
    bench: Bench, stages: Mapping[str, Stage], planned: Sequence[Step], given: Mapping[str, Value], done: Sequence[Executed]
) -> list[tuple[Stage, dict[str, Value], Value]]:
    """Each stage with what it took and made."""
    values = {**given, **{one.step: one.value for one in done}}
    by_name = {step.name: step for step in planned}
    found = []
    for one in done:
        step = by_name[one.step]
        took = {path: values[name] for path, name in step.inputs.items()}
        took |= {path: part_of(took[path], part, bench.records.store) for path, part in step.parts.items()}
        found.append((stages[one.step], took, one.value))
    return found
