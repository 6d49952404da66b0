"""The steps of a project: the functions of its pipeline and its commands, with what ``towpath.yaml`` says of them."""

from __future__ import annotations

from collections.abc import Mapping

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.commands.command import filled
from towpath.pipeline.fan_out import is_split, over, whole_of
from towpath.pipeline.graph import Described, Step
from towpath.pipeline.signatures import Signature, signature
from towpath.pipeline.sources import Sources
from towpath.pipeline.used import used_signature
from towpath.pipeline.work import Call, Command, Use, Work
from towpath.project import Project
from towpath.project_steps import StepPlan, plain_path


def declared(project: Project, code: Code) -> Described:
    """The steps of a project, read from sources.

    What is returned raises:
        UnknownName: a parameter or an input is declared that the function does not take, or a command names what it is not given.
        UsageError: the function takes one that has no value, or any number of inputs; a source is not there.
    """
    sources = Sources(project, code)

    def described(name: str) -> Step | None:
        if is_split(name):
            whole = plain(whole_of(name))
            return _over(project, whole)[0] if whole and project.steps.get(whole.name, StepPlan()).each else None
        step = plain(name)
        return _over(project, step)[1] if step and project.steps.get(name, StepPlan()).each else step

    def plain(name: str) -> Step | None:
        plan = project.steps.get(name, StepPlan())
        found = signature(code, name)
        if found and (plan.cmd or plan.use):
            what = f"{name!r} is a function of the pipeline, and declared as something else"
            raise project.fault("steps", name, what=what, mend="rename one of them")
        if plan.cmd is not None:
            return _command(project, name, plan, sources)
        if plan.use is not None:
            return _used(project, name, plan, sources)
        return _call(name, found, Call(name, plan.workers), plan, sources) if found else None

    return described


def _over(project: Project, step: Step) -> tuple[Step, Step]:
    """The steps of one that is made for each value of a column."""
    column = str(project.steps[step.name].each)
    if not step.inputs:
        what = f"step {step.name!r} takes no table whose {column!r} there could be"
        raise project.fault(
            "steps", step.name, "each", what=what, mend="let its first parameter name a dataset or a step, or leave `each` out"
        )
    return over(step, column)


def _used(project: Project, name: str, plan: StepPlan, sources: Sources) -> Step:
    module, _, function = str(plan.use).partition(":")
    try:
        found = used_signature(module, function)
    except UsageError as fault:
        raise project.fault("steps", name, "use", what=fault.what, mend=fault.mend) from None
    return _call(name, found, Use(module, function), plan, sources)


def _call(name: str, found: Signature, work: Work, plan: StepPlan, sources: Sources) -> Step:
    _check(name, found, plan)
    plain = {parameter: parameter for parameter in found.inputs}
    if not (plan.inputs or plan.values):
        return Step(name, plain, work)
    inputs, parts = _looked_up(name, plan.inputs, sources)
    return Step(name, {**plain, **inputs}, work, dict(plan.values), parts)


def _check(name: str, found: Signature, plan: StepPlan) -> None:
    for parameter in plan.inputs:
        if parameter not in found.inputs:
            raise UnknownName(f"parameter of step {name!r} that takes data", parameter, found.inputs)
    for parameter in plan.values:
        if parameter not in found.parameters:
            raise UnknownName(f"keyword-only parameter of step {name!r}", parameter, found.parameters)
    for parameter in found.needed:
        if parameter not in plan.values:
            raise UsageError(
                f"step {name!r} takes {parameter!r}, which has no value",
                mend=f"give it a default, or one in towpath.yaml: `steps: {{{name}: {{parameters: {{{parameter}: ...}}}}}}`",
            )


def _command(project: Project, name: str, plan: StepPlan, sources: Sources) -> Step:
    inputs, parts = _looked_up(name, _apart(project, name, plan), sources)
    made = {plain_path(path) for path in plan.outputs.values()}
    for given in inputs:
        if given in made:
            what = f"step {name!r} takes {given!r} and makes it too"
            raise project.fault("steps", name, "out", what=what, mend="write what it makes to another path")
    command = Command(cmd=plan.cmd or "", outputs=dict(plan.outputs), version=plan.version)
    filled(command, {"in": inputs, "out": plan.outputs, "params": plan.values})
    return Step(name, inputs, command, dict(plan.values), parts)


def _apart(project: Project, name: str, plan: StepPlan) -> dict[str, str]:
    """What a command takes by the place in its folder; a command that is named by itself stands for all that it makes."""
    found: dict[str, str] = {}
    for given, text in plan.inputs.items():
        maker = project.steps.get(text)
        if given == text and maker and maker.outputs:
            found |= {path: path for path in map(plain_path, maker.outputs.values())}
            continue
        try:
            found[plain_path(given)] = text
        except ValueError as fault:
            raise project.fault("steps", name, "in", what=str(fault), mend="it is the place in the step's own folder") from None
    return found


def _looked_up(step: str, given: Mapping[str, str], sources: Sources) -> tuple[dict[str, str], dict[str, str]]:
    found = {name: sources.look_up(step, text) for name, text in given.items()}
    return {name: one.name for name, one in found.items()}, {name: one.part for name, one in found.items() if one.part}
