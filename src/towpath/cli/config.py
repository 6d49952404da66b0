"""`towpath config`: the project as it is understood, and the schema of its file."""

from __future__ import annotations

import io
import json

import typer
from ruamel.yaml import YAML

from towpath.cli import shared
from towpath.project import Declared
from towpath.project_fields import plain
from towpath.project_reading import schema as schema_of

app = shared.new_app()


@app.command()
def schema(context: typer.Context) -> None:
    """The JSON Schema of towpath.yaml, for editors and checks."""
    found = schema_of(Declared)
    shared.answer(context, found, json.dumps(found, indent=2))


@app.command()
def show(context: typer.Context) -> None:
    """The project with every default filled in."""
    project = shared.project(context)
    declared = plain(project, Declared)
    text = io.StringIO()
    YAML(typ="safe", pure=True).dump(declared, text)
    shared.answer(context, declared, f"# {project.root}, with every default; state lives in {project.home}\n{text.getvalue().rstrip()}")
