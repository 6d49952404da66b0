"""`towpath init`."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from towpath import project_file
from towpath.cli import repository, scaffold, shared
from towpath.cli.extras import MissingExtra
from towpath.data.read import form_of, read_file
from towpath.errors import UsageError
from towpath.project import FILE

app = shared.new_app()
TRAIN = MissingExtra("scikit-learn", "train")


@app.command()
def init(
    context: typer.Context,
    data: Annotated[Path | None, typer.Argument(help="a CSV or Parquet file in the project's folder")] = None,
    label: Annotated[str | None, typer.Option(help="the column to predict; the last one when left out")] = None,
    task: Annotated[str | None, typer.Option(help="binary, multiclass or regression; guessed when left out")] = None,
    name: Annotated[str | None, typer.Option(help="the project's name; the file's when left out")] = None,
    hook: Annotated[bool, typer.Option("--hook", help="let every commit make a turn of the loop")] = False,
) -> None:
    """Start a project: write a towpath.yaml of five lines that works."""
    folder = shared.folder(context)
    if data is None and not hook:
        raise UsageError("no data was named", mend="towpath init DATA.csv --label COLUMN")
    said = _begin(folder, data, label, task, name) if data is not None else {}
    words = said.pop("words", [])
    if hook:
        installed = repository.install_hook(project_file.find(folder).parent, sys.executable)
        said["hook"] = str(installed)
        words.append(f"every commit makes a turn of the loop from now on ({installed})")
    trains = find_spec("sklearn") is not None
    words.append("next: towpath run" if trains else f"next: {TRAIN.mend}, then towpath run")
    shared.answer(context, said, "\n".join(words))


def _begin(folder: Path, data: Path, label: str | None, task: str | None, name: str | None) -> dict[str, Any]:
    path = _inside(folder, data)
    if (folder / FILE).exists():
        raise UsageError(f"there is a {folder / FILE} already", mend="edit it; or begin in another folder")
    frame = _read(folder / path)
    found = scaffold.guess(frame, label, task)
    text = scaffold.towpath_yaml(scaffold.identifier(name or Path(path).stem), path, found)
    ignore = folder / ".gitignore"
    ignore.write_text(scaffold.ignored(ignore.read_text() if ignore.exists() else "", ".towpath/", f"/{path}"), encoding="utf-8")
    (folder / FILE).write_text(text, encoding="utf-8")
    project = project_file.load(folder, shared.environ())
    words = [
        f"{FILE} written: project {project.name}, {frame.height:,} rows of {frame.width} columns",
        found.because,
        *_repository(folder),
    ]
    return {
        "project": project.name,
        "label": found.label,
        "task": found.task,
        "rows": frame.height,
        "file": str(folder / FILE),
        "words": words,
    }


def _inside(folder: Path, data: Path) -> str:
    """The data's path relative to the project's folder."""
    if not data.is_file():
        raise UsageError(f"there is no file {data}", mend="name a CSV or Parquet file that is there")
    form_of(data.name)
    if not data.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{data} lies outside the project's folder {folder.resolve()}", mend=f"copy it here first: `cp {data} {folder}`")
    return data.resolve().relative_to(folder.resolve()).as_posix()


def _read(file: Path) -> pl.DataFrame:
    frame = read_file(file)
    if not frame.width or not frame.height:
        raise UsageError(f"{file} has no rows", mend="name a file with a line of column names and rows below it")
    return frame


def _repository(folder: Path) -> list[str]:
    written = [FILE, ".gitignore"]
    if repository.is_repository(folder):
        repository.keep_merge(folder)
        return [f"commit them, so that runs can be traced: `git add {' '.join(written)} && git commit -m towpath`"]
    repository.begin(folder, written)
    return [f"a Git repository was made here, with {' and '.join(written)} as its first commit (data stays out of Git)"]
