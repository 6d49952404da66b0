"""The images in which steps execute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from towpath.errors import ProjectError
from towpath.executors.container import Containers, program, project_image
from towpath.executors.containerfile import recipe
from towpath.executors.requirements import wanted
from towpath.pipeline.fan_out import whole_of
from towpath.pipeline.graph import Step
from towpath.project import Project
from towpath.project_steps import PROJECT_IMAGE

MEND = "write `executor: local`, or take `container` from the steps: the nodes of a cluster have images of their own"


def images(project: Project, tree: Path, steps: Sequence[Step], environ: Mapping[str, str]) -> dict[str, str]:
    """By what `container` names, the digests of the images; one that is not here is fetched.

    Raises:
        ProjectError: the project's own is not built, or is of other requirements by now; or they would execute on a cluster.
        UsageError: another one is nowhere, or there is no program for containers.
    """
    asked = {whole_of(step.name) for step in steps}
    plans = {name: plan for name, plan in project.steps.items() if plan.container and name in asked}
    if not plans:
        return {}
    if project.executor != "local":
        raise project.fault("executor", what=f"steps in containers do not execute on a cluster: {', '.join(plans)}", mend=MEND)
    containers = Containers(program(environ))
    return {image: _found(project, tree, name, image, containers) for name, plan in plans.items() if (image := plan.container)}


def _found(project: Project, tree: Path, step: str, name: str, containers: Containers) -> str:
    if name != PROJECT_IMAGE:
        if containers.image(name) is None:
            containers.pull(name)
        image = containers.image(name)
        if image is None:
            raise _not_there(project, step, f"image {name} is not there")
        return image.identity
    image = containers.image(project_image(project.name))
    if image is None:
        raise _not_there(project, step, f"the project's image is not built on this machine, where {containers.program} keeps images")
    if image.recipe != recipe(project.image, wanted(project.image, tree)):
        raise _not_there(project, step, "the project's image was made of another base or Towpath, or of other packages or requirements")
    return image.identity


def _not_there(project: Project, step: str, what: str) -> ProjectError:
    return project.fault("steps", step, "container", what=what, mend="run `towpath image build`")
