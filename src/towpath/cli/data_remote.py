"""Versions of data and the team: `data push`, `data pull`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import typer

from towpath import holdings, kept
from towpath.cli import data_commits, shared
from towpath.cli.data_named import Names, chosen, erased
from towpath.cli.progress import Bar
from towpath.cli.putting import putting
from towpath.cli.repository import keep_merge
from towpath.data import lock, share
from towpath.digest import Digest
from towpath.errors import UsageError
from towpath.project import Project
from towpath.store import Store
from towpath.store.remote import Moved, Remote

app = shared.new_app()

Wanted = list[tuple[str, Digest]]  # datasets with snapshots of them


@app.command()
def push(
    context: typer.Context,
    names: Names = None,
    all_: Annotated[bool, typer.Option("--all", help="what the towpath.lock of any commit names, not this one's alone")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be sent")] = False,
) -> None:
    """Send the snapshots of towpath.lock to the remote: of them, what it does not have yet. Cut off, the same command goes on."""
    project = shared.project(context)
    store, remote = holdings.store_here(project), holdings.remote(project)
    asked = _ever_locked(project, names) if all_ else _locked(project, names, mend="towpath data add")
    wanted, nowhere = _to_send(project, asked, store, remote)
    if nowhere and not all_:
        mend = "`towpath data push` where it was added; or `towpath data add`, to keep the files as they are now"
        raise UsageError(_absent(nowhere), mend=mend)
    if dry_run:
        new = wanted.keys() - remote.has(wanted)
        moved = Moved(len(new), sum(wanted[digest] for digest in new), 0, 0.0)
        words = f"{moved.objects:,} objects of {moved.size:,} bytes would be new there"
    else:
        with Bar("pushing", shown=not shared.asked(context).json) as bar:
            moved = remote.push(store, wanted.items(), lambda p: bar.to(p.done, p.total, str(p)))
        words = str(moved)
    told = {**moved._asdict(), "absent": [digest for _, digest in nowhere]}
    shared.answer(context, told, "\n".join([f"{remote.place}: {words}", *([_absent(nowhere)] if nowhere else [])]))


def _locked(project: Project, names: list[str] | None, *, mend: str) -> Wanted:
    there = lock.read(project.root)
    found = [(name, there[name].digest) for name in chosen(project, names, [name for name in project.data if name in there])]
    if not found:
        raise UsageError(f"there is no {lock.LOCK} that names a dataset of this project", mend=mend)
    return found


def _ever_locked(project: Project, names: list[str] | None) -> Wanted:
    now = [(name, one.digest) for name, one in lock.read(project.root).items()]
    found = dict.fromkeys([*data_commits.named(project.root), *now])
    known = dict.fromkeys(name for name, _ in found)
    if not found:
        raise UsageError(f"no commit has a {lock.LOCK} yet", mend="towpath data add")
    meant = chosen(project, names, list(known))
    return [one for one in found if one[0] in meant]


def _to_send(project: Project, asked: Wanted, store: Store, remote: Remote) -> tuple[dict[Digest, int], Wanted]:
    """What the snapshots that are here consist of, with sizes; and the snapshots of which something is neither here nor in the remote."""
    absent = store.missing(digest for _, digest in asked)
    nowhere = absent - remote.has(absent) if absent else absent
    here = [digest for _, digest in asked if digest not in absent]
    with putting(project, "towpath data push"):
        share.fetch_listing(store, here, lambda digests: remote.fetch(digests, store))
    gone = erased(project)
    wanted = _objects(store, here, gone)
    if (lacking := store.missing(wanted)) and (lost := lacking - remote.has(lacking)):
        nowhere |= {digest for digest in here if not lost.isdisjoint(_objects(store, [digest], gone))}
        wanted = _objects(store, [digest for digest in here if digest not in nowhere], gone)
    return wanted, [one for one in asked if one[1] in nowhere]


def _objects(store: Store, snapshots: Iterable[Digest], gone: Mapping[str, str]) -> dict[Digest, int]:
    return {digest: size for snapshot in snapshots for digest, size in share.objects(store, snapshot, gone)}


def _absent(snapshots: Wanted) -> str:
    listed = ", ".join(f"{digest[:8]} of {name}" for name, digest in snapshots[:3]) + (" and more" if len(snapshots) > 3 else "")
    what = "1 snapshot is" if len(snapshots) == 1 else f"{len(snapshots)} snapshots are"
    return f"{what} neither whole on this machine nor in the remote: {listed}"


@app.command()
def pull(context: typer.Context, names: Names = None) -> None:
    """Bring the snapshots of towpath.lock from the remote into the store; `towpath data checkout` makes files of them."""
    project = shared.project(context)
    store, remote = holdings.store_here(project), holdings.remote(project)
    wanted = [digest for _, digest in _locked(project, names, mend="`towpath data add` where the data are, and commit the lock")]
    keep_merge(project.root)
    with Bar("pulling", shown=not shared.asked(context).json) as bar, putting(project, "towpath data pull"):
        share.fetch_listing(store, wanted, lambda digests: remote.fetch(digests, store))
        gone = kept.state(project).erasures.objects
        absent = dict.fromkeys(one for snapshot in wanted for one in share.missing(store, snapshot, gone))
        moved = remote.fetch(absent, store, lambda p: bar.to(p.done, p.total, str(p)))
    shared.answer(context, moved._asdict(), f"{remote.place}: {moved}\nnext: towpath data checkout")
