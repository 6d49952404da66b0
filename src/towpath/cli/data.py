"""What data there is now, kept and compared: `data add`, `data status`."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from towpath import holdings
from towpath.cli import shared
from towpath.cli.data_named import Names, chosen, files_locked
from towpath.cli.progress import Bar
from towpath.cli.putting import putting
from towpath.cli.repository import keep_merge
from towpath.data import lock
from towpath.data.absent import to_check_out
from towpath.data.add import Added, Progress
from towpath.data.add import add as add_dataset
from towpath.data.compare import here, stands
from towpath.data.index import Index
from towpath.data.lock import Locked
from towpath.data.settled import Settled
from towpath.digest import Digest
from towpath.errors import TowpathError
from towpath.project import Project
from towpath.report import data as views
from towpath.report.data import AddedRow, StatusRow
from towpath.store import Store

app = shared.new_app()


@app.command()
def add(
    context: typer.Context,
    names: Names = None,
    link: Annotated[
        bool, typer.Option("--link", help="let store and files be one: for files that nobody changes; they become read-only")
    ] = False,
) -> None:
    """Keep datasets as they are now, and write their snapshots into towpath.lock. What looks untouched is not read."""
    project = shared.project(context)
    store, index, before = holdings.store_here(project), holdings.index(project), lock.read(project.root)
    rows, locked = [], dict[str, Locked]()
    for name in chosen(project, names):
        dataset, put = project.data[name], nullcontext(store.put_link) if link else store.packing()
        told = Bar(f"adding {name}", shown=not shared.asked(context).json)
        with told as bar, putting(project, "towpath data add"), to_check_out(name, dataset, project.root):
            done = add_dataset(name, dataset, project.root, store, index, count=_rows_of, put=put, tell=_towards(bar))
        locked[name] = Locked(done.digest, done.snapshot.rows)
        rows.append(_added(name, done, before.get(name)))
    lock.update(project.root, locked)
    keep_merge(project.root)
    shared.answer(context, rows, views.added(rows))


def _towards(bar: Bar) -> Callable[[Progress], None]:
    return lambda progress: bar.to(progress.size, progress.of_size, f"{progress.files:,} of {progress.of_files:,} files")


def _rows_of(file: Path) -> int:
    rows: int = import_module("towpath.data.read").rows_of(file)  # Polars is loaded only where there are tables to count
    return rows


def _added(name: str, done: Added, before: Locked | None) -> AddedRow:
    shot = done.snapshot
    return AddedRow(
        dataset=name,
        digest=done.digest,
        before=before.digest if before else "",
        files=shot.files,
        size=shot.size,
        rows=shot.rows,
        read=done.read,
    )


@app.command()
def status(context: typer.Context, names: Names = None) -> None:
    """Which files are new, changed or gone since towpath.lock; nothing is written."""
    project = shared.project(context)
    store, index, locked = holdings.store(project), holdings.index(project), lock.read(project.root)
    settled = holdings.settled(project)
    rows = [_status(project, name, store, index, settled, locked.get(name)) for name in chosen(project, names)]
    shared.answer(context, rows, views.status(rows))


def _status(project: Project, name: str, store: Store, index: Index, settled: Settled, locked: Locked | None) -> StatusRow:
    dataset, digest = project.data[name], locked.digest if locked else Digest("")
    try:
        if locked is None:
            return StatusRow(dataset=name, digest="", files=len(here(dataset, project.root, index)))
        count, standing = stands(name, dataset, project.root, index, settled, digest, lambda: files_locked(project, store, name, locked))
    except TowpathError as fault:
        return StatusRow(dataset=name, digest=digest, files=0, trouble=f"{fault.what} (mend: {fault.mend})")
    added, changed, removed = map(_readable, standing)
    return StatusRow(dataset=name, digest=digest, files=count, added=added, changed=changed, removed=removed)


def _readable(names: list[str]) -> list[str]:
    """Names as any reader can have them: what is no UTF-8 is written as escapes."""
    return [os.fsencode(name).decode("utf-8", "backslashreplace") for name in names]
