"""`image build`: the image in which the project's steps execute."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from towpath.cli import shared
from towpath.executors.container import Containers, program, project_image
from towpath.executors.containerfile import ENVIRONMENT, REQUIREMENTS, WHEELS, Wanted, containerfile
from towpath.executors.requirements import wanted
from towpath.pipeline.worktree import tree, unpack
from towpath.project_steps import ImagePlan

app = shared.new_app()


@app.command()
def build(
    context: typer.Context,
    print_it: Annotated[bool, typer.Option("--print", help="print the Containerfile, and build nothing")] = False,
) -> None:
    """Make the image of the project as its tree is now: base, packages and requirements; then the code, for whoever runs it elsewhere."""
    project = shared.project(context)
    with tempfile.TemporaryDirectory(prefix="towpath-image-") as folder:
        files = unpack(project.root, tree(project.root), Path(folder))
        needs = wanted(project.image, files)
        text = containerfile(project.image, needs)
        if print_it:
            shared.answer(context, {"containerfile": text, "requirements": needs.requirements}, text.rstrip())
            return
        containers = Containers(program(shared.environ()))
        _write(files, project.image, needs)
        (files / "Containerfile").write_text(text)
        environment, whole = project_image(project.name), project_image(project.name, "latest")
        containers.build(files, environment, ENVIRONMENT)
        containers.build(files, whole)
    made = {"environment": environment, "image": whole, "program": containers.program}
    shared.answer(context, made, f"{environment}: steps with `container: project` execute in it\n{whole}: the same with the code")


def _write(folder: Path, image: ImagePlan, needs: Wanted) -> None:
    (folder / (image.requirements or REQUIREMENTS)).write_text(needs.requirements)
    for one in needs.wheels:
        (folder / WHEELS).mkdir(exist_ok=True)
        (folder / WHEELS / one.name).write_bytes(one.content)
