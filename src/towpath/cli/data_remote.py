"""Versions of data and the team: `data push`, `data pull`, `data gc`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from towpath import holdings, kept
from towpath.cli import shared
from towpath.cli.data_named import Names, chosen
from towpath.cli.progress import Bar
from towpath.cli.putting import putting
from towpath.data import lock, share
from towpath.digest import Digest
from towpath.errors import UsageError
from towpath.project import Project
from towpath.store import Store
from towpath.store.remote import Moved

app = shared.new_app()


def _locked(project: Project, names: list[str] | None) -> dict[str, Digest]:
    there = lock.read(project.root)
    return {name: there[name].digest for name in chosen(project, names, [name for name in project.data if name in there])}


@app.command()
def push(
    context: typer.Context,
    names: Names = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be sent")] = False,
) -> None:
    """Send the snapshots of towpath.lock to the remote: of them, what it does not have yet. Cut off, the same command goes on."""
    project = shared.project(context)
    store, remote = holdings.store_here(project), holdings.remote(project)
    wanted = {digest: size for name, snapshot in _locked(project, names).items() for digest, size in _objects(store, name, snapshot)}
    if dry_run:
        new = wanted.keys() - remote.has(wanted)
        moved = Moved(len(new), sum(wanted[digest] for digest in new), 0, 0.0)
        shared.answer(context, moved._asdict(), f"{remote.place}: {moved.objects:,} objects of {moved.size:,} bytes would be new there")
        return
    with Bar("pushing", shown=not shared.asked(context).json) as bar:
        moved = remote.push(store, wanted.items(), lambda p: bar.to(p.done, p.total, str(p)))
    shared.answer(context, moved._asdict(), f"{remote.place}: {moved}")


def _objects(store: Store, name: str, snapshot: Digest) -> Iterable[tuple[Digest, int]]:
    if not store.has(snapshot):
        raise UsageError(f"snapshot {snapshot[:8]} of {name} is not in the store of this machine", mend=f"towpath data add {name}")
    return share.objects(store, snapshot)


@app.command()
def pull(context: typer.Context, names: Names = None) -> None:
    """Bring the snapshots of towpath.lock from the remote into the store; `towpath data checkout` makes files of them."""
    project = shared.project(context)
    store, remote, wanted = holdings.store_here(project), holdings.remote(project), _locked(project, names)
    with Bar("pulling", shown=not shared.asked(context).json) as bar, putting(project, "towpath data pull"):
        share.fetch_listing(store, wanted.values(), lambda digests: remote.fetch(digests, store))
        erased = kept.state(project).erasures.objects
        absent = dict.fromkeys(one for snapshot in wanted.values() for one in share.missing(store, snapshot, erased))
        moved = remote.fetch(absent, store, lambda p: bar.to(p.done, p.total, str(p)))
    shared.answer(context, moved._asdict(), f"{remote.place}: {moved}\nnext: towpath data checkout")
