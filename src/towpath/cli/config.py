"""`towpath config`: the project as it is understood, and the schema of its file."""

from __future__ import annotations

import io
import json

import typer
from ruamel.yaml import YAML

from towpath.cli import shared
from towpath.project import Project

app = shared.new_app()


@app.command()
def schema(context: typer.Context) -> None:
    """The JSON Schema of towpath.yaml, for editors and checks."""
    found = Project.model_json_schema()
    shared.answer(context, found, json.dumps(found, indent=2))


@app.command()
def show(context: typer.Context) -> None:
    """The project with every default filled in."""
    project = shared.project(context)
    plain = json.loads(project.model_dump_json())
    text = io.StringIO()
    YAML(typ="safe", pure=True).dump(plain, text)
    shared.answer(context, plain, f"# {project.root}, with every default; state lives in {project.home}\n{text.getvalue().rstrip()}")
