"""Whether there is as much as steps ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from towpath.pipeline.executor import Executor, Resources
from towpath.pipeline.graph import Step
from towpath.project import Project
from towpath.project_steps import StepPlan
from towpath.quantities import size_in_words

_GPUS = "; GPUs are those that CUDA_VISIBLE_DEVICES names"


def check(project: Project, steps: Sequence[Step], executor: Executor) -> None:
    """Raise ProjectError where a step asks for more than there is at all."""
    has = executor.has
    for step in steps:
        plan = project.steps.get(step.name, StepPlan())
        if project.executor == "local" and plan.workers:
            what = f"step {step.name!r} asks for workers, which a cluster has, and steps execute on this machine"
            raise project.fault("steps", step.name, "workers", what=what, mend="declare `executor: ray`, or leave `workers` out")
        for key, asked, there in _too_much(plan, has):
            mend = "ask for less, or run where there is more" + _GPUS * (key == "gpus")
            raise project.fault(
                "steps", step.name, key, what=f"step {step.name!r} asks for {key}: {asked}, and all there is: {there}", mend=mend
            )
        places = executor.places(Resources(cpus=plan.cpus, gpus=plan.gpus)) if plan.workers else 0
        if places < plan.workers:
            each = f"cpus: {plan.cpus:g}" + f" and gpus: {plan.gpus}" * bool(plan.gpus)
            what = f"step {step.name!r} asks for workers: {plan.workers}, each with {each}, and the cluster has room for {places}"
            raise project.fault("steps", step.name, "workers", what=what, mend="ask for fewer, or add nodes")


def _too_much(plan: StepPlan, has: Resources) -> Iterator[tuple[str, str, str]]:
    """What is asked for and is not there: by which key, how much, and how much there is."""
    if plan.cpus > has.cpus:
        yield "cpus", f"{plan.cpus:g}", f"{has.cpus:g}"
    if plan.memory and plan.memory > has.memory:
        yield "memory", size_in_words(plan.memory), size_in_words(has.memory)
    if plan.gpus > has.gpus:
        yield "gpus", str(plan.gpus), str(has.gpus)
