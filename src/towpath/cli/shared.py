"""What commands share: what was asked, the project, and how to answer. The environment is read here and nowhere deeper."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import typer

from towpath import project_file
from towpath.cli.app import Asked
from towpath.errors import UsageError
from towpath.project import Project


def new_app() -> typer.Typer:
    """An app of commands: plain help, no completion code, errors left to the frame."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def environ() -> Mapping[str, str]:
    """The environment."""
    return os.environ


def asked(context: typer.Context) -> Asked:
    """The options that every verb has."""
    found: Asked = context.obj
    return found


def folder(context: typer.Context) -> Path:
    """The folder that was named by ``--project``, or this one. Raises UsageError when there is none."""
    path = Path(asked(context).folder)
    if not path.is_dir():
        raise UsageError(f"there is no folder {path}", mend="name the folder that has your towpath.yaml: --project DIR")
    return path


def project(context: typer.Context) -> Project:
    """The project of ``--project DIR``, or of this folder and those above; of DVC, where there is no other."""
    return project_file.load_any(folder(context), environ())


def width() -> int:
    """Characters of a line: the terminal's, or as many as a file may have."""
    return shutil.get_terminal_size((140, 24)).columns


def answer(context: typer.Context, value: Any, words: str) -> None:
    """Print ``value`` as JSON where that was asked for, otherwise ``words``."""
    typer.echo(msgspec.json.encode(value, enc_hook=str).decode() if asked(context).json else words)
