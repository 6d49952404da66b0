"""Making files those of towpath.lock: `data checkout`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from towpath import holdings
from towpath.cli import shared
from towpath.cli.data_named import NEVER_ADDED, Names, chosen, files_locked
from towpath.cli.progress import Bar
from towpath.cli.putting import putting
from towpath.cli.repository import keep_merge
from towpath.data import checkout as outs
from towpath.data import lock, share
from towpath.data.compare import here
from towpath.data.index import Index
from towpath.data.lock import Locked
from towpath.digest import Digest
from towpath.errors import UsageError
from towpath.project import Project
from towpath.report import data as views
from towpath.report.data import CheckedOut
from towpath.store.trees import FileEntry

app = shared.new_app()


@app.command()
def checkout(
    context: typer.Context,
    names: Names = None,
    force: Annotated[bool, typer.Option("--force", help="give up what was changed and never added")] = False,
    link: Annotated[
        bool, typer.Option("--link", help="share large files with the store, read-only, where the remote has them too")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done")] = False,
) -> None:
    """Make the files those that towpath.lock names. Only what differs is written; what is kept nowhere else is not lost unless forced."""
    project = shared.project(context)
    store, index, locked = holdings.store_here(project), holdings.index(project), lock.read(project.root)
    names = _that_lie_here(project, chosen(project, names, [name for name in project.data if name in locked]), named=bool(names))
    keep_merge(project.root)
    quiet = shared.asked(context).json
    bring(project, [locked[name].digest for name in names], quiet=quiet)
    plans = {}
    for name in names:
        plans[name] = outs.plan(here(project.data[name], project.root, index), files_locked(project, store, name, locked[name]), store)
        if not force:
            outs.refuse_loss(plans[name], name)
    rows = [_checked_out(name, locked[name], plan) for name, plan in plans.items()]
    for name, plan in plans.items() if not dry_run else ():
        bring(project, (), [file.digest for file in plan.write], quiet=quiet)
        how = _linking(project, plan.write) if link else lambda file, target: False
        _carry_out(context, name, plan, project, index, how)
    shared.answer(context, rows, views.checked_out(rows, dry=dry_run) if rows else f"nothing to check out: {NEVER_ADDED}")


def _that_lie_here(project: Project, names: list[str], *, named: bool) -> list[str]:
    """The datasets whose files a person has. Raises UsageError where another one was named: nobody asked for its files in the project."""
    elsewhere = [name for name in names if not project.data[name].is_here]
    if elsewhere and named:
        raise UsageError(
            f"{elsewhere[0]} is read from elsewhere ({project.data[elsewhere[0]].source}), and its files do not lie in the project",
            mend="nothing is to be done: runs read it where it is, and its snapshots are in the store",
        )
    return [name for name in names if name not in elsewhere]


def _linking(project: Project, files: Iterable[FileEntry]) -> outs.Link:
    """Makes a file one more name for its object, if the remote has it too; it is copied where it lies in a pack, or on another disk."""
    store, safe = holdings.store_here(project), holdings.remote(project).has({file.digest for file in files})

    def link(file: FileEntry, target: Path) -> bool:
        if file.digest not in safe:
            return False
        try:
            store.get_link(file.digest, target)
        except OSError:
            return False
        return True

    return link


def bring(project: Project, snapshots: Iterable[Digest], files: Iterable[Digest] = (), *, quiet: bool = False) -> None:
    """Where there is a remote, fetch from it what is not on this machine: listings of snapshots, and files."""
    if project.remote is None:
        return
    store, remote = holdings.store_here(project), holdings.remote(project)
    absent = [digest for digest in files if not store.has(digest)]
    with Bar("fetching", shown=not quiet) as bar, putting(project, "towpath data checkout"):
        share.fetch_listing(store, snapshots, lambda digests: remote.fetch(digests, store))
        if absent:
            remote.fetch(absent, store, lambda p: bar.to(p.done, p.total, str(p)))


def _checked_out(name: str, locked: Locked, plan: outs.Plan) -> CheckedOut:
    size = sum(file.size for file in plan.write)
    return CheckedOut(dataset=name, digest=locked.digest, written=len(plan.write), size=size, removed=len(plan.remove))


def _carry_out(context: typer.Context, name: str, plan: outs.Plan, project: Project, index: Index, link: outs.Link) -> None:
    total, done = sum(file.size for file in plan.write), [0, 0]

    with Bar(f"checking out {name}", shown=not shared.asked(context).json) as bar:

        def tell(file: FileEntry) -> None:
            done[0] += file.size
            done[1] += 1
            bar.to(done[0], total, f"{done[1]:,} of {len(plan.write):,} files")

        outs.carry_out(plan, project.root, holdings.store_here(project), index, link=link, tell=tell)
