"""The steps of a project: the functions of its pipeline, with the parameters that ``towpath.yaml`` gives them."""

from __future__ import annotations

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.graph import Described, Step
from towpath.pipeline.reach import Project as Code
from towpath.pipeline.signatures import Signature, signature
from towpath.project import Project, StepPlan


def declared(project: Project, code: Code) -> Described:
    """The steps of a project, read from sources.

    What is returned raises:
        UnknownName: a parameter is declared that the function does not take.
        UsageError: the function takes one that has no value, or any number of inputs.
    """

    def described(name: str) -> Step | None:
        found = signature(code, name)
        if found is None:
            return None
        plan = project.steps.get(name, StepPlan())
        _check(name, found, plan)
        step = Step.of(name, found.inputs)
        return Step(step.name, step.inputs, step.work, dict(plan.parameters)) if plan.parameters else step

    return described


def _check(name: str, found: Signature, plan: StepPlan) -> None:
    for parameter in plan.parameters:
        if parameter not in found.parameters:
            raise UnknownName(f"keyword-only parameter of step {name!r}", parameter, found.parameters)
    for parameter in found.needed:
        if parameter not in plan.parameters:
            raise UsageError(
                f"step {name!r} takes {parameter!r}, which has no value",
                mend=f"give it a default, or one in towpath.yaml: `steps: {{{name}: {{parameters: {{{parameter}: ...}}}}}}`",
            )
