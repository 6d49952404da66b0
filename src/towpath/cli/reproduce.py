"""`towpath reproduce`: a version made again, and held against what it was."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from towpath import __version__, holdings, kept
from towpath.cli import shared
from towpath.cli.named import named
from towpath.errors import UsageError
from towpath.pipeline.runs import Run
from towpath.project import Project
from towpath.proof import environment
from towpath.proof.ingredients import check, of_version
from towpath.proof.made import Place
from towpath.proof.reproduce import TOLERANCE
from towpath.proof.reproduce import reproduce as made_again
from towpath.registry import Version
from towpath.report.reproduction import Answer, Reproduction, in_words
from towpath.report.statement import statement
from towpath.store import Store

app = shared.new_app()


@app.command()
def reproduce(
    context: typer.Context,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="a version's number")],
    tolerance: Annotated[float, typer.Option(min=0.0, help="relative; numbers that are nearer to each other are equal")] = TOLERANCE,
    env: Annotated[bool, typer.Option("--env", help="in an environment with just the distributions that were installed then")] = False,
) -> None:
    """Make a version again without the cache, from its commit, data and parameters, and compare step by step; exit code 1 if it differs."""
    project = shared.project(context)
    run, chosen = _named(version, project)
    if env:
        raise typer.Exit(_in_environment(context, project, run, ["reproduce", str(chosen.number), "--tolerance", str(tolerance)]))
    began = kept.clock().now()
    one = _made_again(context, project, run, chosen, tolerance)
    file = _stated(project, one, run, began, holdings.near(project))
    one = msgspec.structs.replace(one, statement=str(file))
    shared.answer(context, one, in_words(one, shared.width()))
    if one.answer is Answer.DIFFERENT:
        raise typer.Exit(1)


def _named(word: str, project: Project) -> tuple[Run, Version]:
    (found,) = named([word], kept.state(project))
    if found.version is None:
        raise UsageError(f"{found.title} is no version", mend="name the number of a version: `towpath runs` shows them")
    return found.run, found.version


def _tell(context: typer.Context, text: str) -> None:
    if not shared.asked(context).json:
        print(text, file=sys.stderr)


def _made_again(context: typer.Context, project: Project, run: Run, version: Version, tolerance: float) -> Reproduction:
    store, state = holdings.near(project), kept.state(project)
    check(version, state, store)
    ingredients = of_version(version, state, kept.ledger(project).read(), store)
    with tempfile.TemporaryDirectory(prefix="towpath-reproduce-") as folder:
        place = Place(
            root=project.root,
            home=project.home,
            store=store,
            environ=shared.environ(),
            logs=Path(folder, "logs"),
            tell=lambda text: _tell(context, text),
        )
        return made_again(version, run, ingredients, place, Path(folder, "tree"), tolerance)


def _stated(project: Project, one: Reproduction, run: Run, began: datetime, store: Store) -> Path:
    """Write the statement; where it lies. Its subject is what came out: the version itself, where it is identical."""
    package = one.package.now
    manifest = {"blake3": str(package), "sha256": hashlib.sha256(store.get(package)).hexdigest()} if isinstance(package, str) else {}
    said = statement(project.name, one, run, manifest, by=__version__, started=began, ended=kept.clock().now())
    file = project.home / "statements" / f"version-{one.version}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    written = file.with_suffix(".new")
    written.write_bytes(msgspec.json.format(msgspec.json.encode(said), indent=2))
    written.replace(file)
    return file


def _in_environment(context: typer.Context, project: Project, run: Run, words: list[str]) -> int:
    """A command by another Python; its exit code."""
    distributions = environment.recorded(run, holdings.near(project))
    folder = project.home / "environments" / str(run.distributions)[:16]
    python = environment.built(distributions, folder, lambda text: _tell(context, text))
    json = ["--json"] if shared.asked(context).json else []
    return subprocess.run([str(python), "-m", "towpath", *words, "--project", str(project.root), *json], check=False).returncode
