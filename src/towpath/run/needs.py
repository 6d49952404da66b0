"""Whether there is as much as steps ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from towpath.pipeline.executor import Resources
from towpath.pipeline.graph import Step
from towpath.project import Project
from towpath.project_steps import StepPlan
from towpath.quantities import size_in_words

_GPUS = "; GPUs are those that CUDA_VISIBLE_DEVICES names"


def check(project: Project, steps: Sequence[Step], has: Resources) -> None:
    """Raise ProjectError where a step asks for more than there is at all."""
    for step in steps:
        if project.executor == "local" and project.steps.get(step.name, StepPlan()).workers:
            what = f"step {step.name!r} asks for workers, which a cluster has, and steps execute on this machine"
            raise project.fault("steps", step.name, "workers", what=what, mend="declare `executor: ray`, or leave `workers` out")
        for key, asked, there in _too_much(project.steps.get(step.name, StepPlan()), has):
            mend = "ask for less, or run where there is more" + _GPUS * (key == "gpus")
            raise project.fault(
                "steps", step.name, key, what=f"step {step.name!r} asks for {key}: {asked}, and all there is: {there}", mend=mend
            )


def _too_much(plan: StepPlan, has: Resources) -> Iterator[tuple[str, str, str]]:
    """What is asked for and is not there: by which key, how much, and how much there is."""
    if plan.cpus > has.cpus:
        yield "cpus", f"{plan.cpus:g}", f"{has.cpus:g}"
    if plan.memory and plan.memory > has.memory:
        yield "memory", size_in_words(plan.memory), size_in_words(has.memory)
    if plan.gpus > has.gpus:
        yield "gpus", str(plan.gpus), str(has.gpus)
