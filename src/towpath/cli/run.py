"""`towpath run`: once through the pipeline."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from towpath import kept
from towpath.cli import shared
from towpath.cli.progress import Lines
from towpath.cli.repository import keep_merge
from towpath.errors import Unavailable, UsageError
from towpath.events import Outcome, RunEnded
from towpath.locks import RUN, Lock, lock_of
from towpath.pipeline.worktree import looking
from towpath.project import FILE
from towpath.project_file import DVC
from towpath.quantities import share
from towpath.records import Records
from towpath.words import in_words

app = shared.new_app()

SAID_NO = {Outcome.REJECTED, Outcome.HELD, Outcome.STOPPED, Outcome.FAILED}


@app.command()
def run(
    context: typer.Context,
    cause: Annotated[str, typer.Option(help="why, for the history")] = "by hand",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="execute every step, whatever was executed before")] = False,
    verify: Annotated[str, typer.Option(metavar="SHARE", help="execute so many of what others executed here as well, and compare")] = "0%",
    dvc: Annotated[bool, typer.Option("--dvc", help="execute the stages of dvc.yaml, and leave what they make as DVC does")] = False,
    fired: Annotated[int | None, typer.Option(hidden=True)] = None,
    lock_held: Annotated[int | None, typer.Option(hidden=True)] = None,
    replay: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Snapshot the data, check it, train, package, judge, register; exit code 1 when a check or a gate said no."""
    project = shared.project(context)
    if dvc:
        _keep_from_git(project.home)
    elif DVC in project.steps:
        raise UsageError(f"there is no {FILE} in {project.root}, but a {DVC}", mend="towpath run --dvc")
    records = kept.records(project, replay)
    checked = share(verify)
    if checked and records.project.remote is None:
        raise UsageError("there are no others whose executions could be verified", mend="name the team's `remote`, or use --no-cache")
    keep_merge(records.project.root)
    lock = lock_of(records.project.home, RUN)
    if lock_held is not None:
        lock.adopt(lock_held)
    if not lock.take(f"process {os.getpid()}, by hand, since {records.clock.now():%Y-%m-%d %H:%M:%S} UTC"):
        raise _busy(records, lock)
    lines = Lines(quiet=shared.asked(context).json)
    try:
        source = looking(records.project.root)  # while the rest is loaded
        ended: RunEnded = import_module("towpath.run").run(
            records,
            shared.environ(),
            source=source,
            fired=fired,
            cause=cause,
            afresh=no_cache,
            verify=checked,
            dvc=dvc,
            tell=lines.tell,
            show=lines.show,
        )
    finally:
        lock.release()
    shared.answer(context, ended, _words(ended, records))
    if ended.outcome in SAID_NO:
        raise typer.Exit(1)


def _busy(records: Records, lock: Lock) -> Unavailable:
    holder, going = lock.holder(), records.state().runs.going_on
    if going and (f"process {going.pid}," in holder or "process" not in holder):
        which = f"run {going.number} is going on: process {going.pid}, since {going.started:%Y-%m-%d %H:%M:%S} UTC, {going.cause}"
    else:  # it has begun just now
        which = f"another run is going on: {holder}"
    return Unavailable(which, mend="wait until it has ended (`towpath status`), then run again; there is one run at a time")


def _keep_from_git(home: Path) -> None:
    """A project of DVC need not have made room for ours in its `.gitignore`."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / ".gitignore").exists():
        (home / ".gitignore").write_text("*\n")


def _words(ended: RunEnded, records: Records) -> str:
    words = in_words(ended)
    if ended.outcome is not Outcome.REGISTERED:
        return words
    dirty = records.state().registry.version(ended.version or 0).candidate.dirty
    after = "commit your changes and run again: a version of uncommitted code stays in staging" if dirty else "`towpath up` serves it"
    return f"{words}\nnext: {after}"
