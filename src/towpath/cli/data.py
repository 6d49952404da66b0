"""Versions of data: `data add`, `data status`, `data checkout`, `data history`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from towpath import kept, project_file
from towpath.cli import shared
from towpath.cli.progress import Bar
from towpath.cli.putting import putting
from towpath.cli.repository import git
from towpath.data import checkout as outs
from towpath.data import lock, share
from towpath.data.add import Added, Progress
from towpath.data.add import add as add_dataset
from towpath.data.compare import here, stands
from towpath.data.erasures import standing_in
from towpath.data.index import Index
from towpath.data.lock import LOCK, Locked
from towpath.data.manifest import files_of
from towpath.data.merge import Merged
from towpath.data.merge import merge as merge_locks
from towpath.data.settled import Settled
from towpath.digest import Digest
from towpath.errors import TowpathError, Unavailable, UnknownName, UsageError
from towpath.project import Project
from towpath.report import data as views
from towpath.report.data import AddedRow, CheckedOut, HistoryRow, StatusRow
from towpath.store import Store
from towpath.store.trees import FileEntry

app = shared.new_app()

Names = Annotated[list[str] | None, typer.Argument(metavar="[DATASET]...", help="as `data` in towpath.yaml calls them; all, when left out")]
NEVER_ADDED = f"{LOCK} does not have it: `towpath data add` writes it there"


def chosen(project: Project, names: list[str] | None, known: list[str] | None = None) -> list[str]:
    """The datasets that were named, or all. Raises UnknownName."""
    there = list(project.data) if known is None else known
    for name in names or ():
        if name not in there:
            raise UnknownName("dataset", name, there)
    return names or there


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
    store, index, before = kept.store_here(project), kept.index(project), lock.read(project.root)
    rows, locked = [], dict[str, Locked]()
    for name in chosen(project, names):
        with Bar(f"adding {name}", shown=not shared.asked(context).json) as bar, putting(project, "towpath data add"):
            put = nullcontext(store.put_link) if link else store.packing()
            done = add_dataset(name, project.data[name], project.root, store, index, count=_rows_of, put=put, tell=_towards(bar))
        locked[name] = Locked(done.digest, done.snapshot.rows)
        rows.append(_added(name, done, before.get(name)))
    lock.update(project.root, locked)
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
    store, index, locked = kept.store(project), kept.index(project), lock.read(project.root)
    settled = kept.settled(project)
    rows = [_status(project, name, store, index, settled, locked.get(name)) for name in chosen(project, names)]
    shared.answer(context, rows, views.status(rows))


def _status(project: Project, name: str, store: Store, index: Index, settled: Settled, locked: Locked | None) -> StatusRow:
    dataset, digest = project.data[name], locked.digest if locked else Digest("")
    try:
        if locked is None:
            return StatusRow(dataset=name, digest="", files=len(here(dataset, project.root, index)))
        count, standing = stands(name, dataset, project.root, index, settled, digest, lambda: _files(project, store, name, locked))
    except TowpathError as fault:
        return StatusRow(dataset=name, digest=digest, files=0, trouble=f"{fault.what} (mend: {fault.mend})")
    added, changed, removed = map(_readable, standing)
    return StatusRow(dataset=name, digest=digest, files=count, added=added, changed=changed, removed=removed)


def _readable(names: list[str]) -> list[str]:
    """Names as any reader can have them: what is no UTF-8 is written as escapes."""
    return [os.fsencode(name).decode("utf-8", "backslashreplace") for name in names]


def _files(project: Project, store: Store, name: str, locked: Locked) -> list[FileEntry]:
    """The files of a snapshot; of what was erased, what stands in for it."""
    if not store.has(locked.digest):
        raise UsageError(f"snapshot {locked.digest[:8]} of {name} is not in the store of this machine", mend=f"towpath data pull {name}")
    return standing_in(files_of(store, locked.digest), erased(project))


def erased(project: Project) -> dict[str, str]:
    """What stands in for erased objects; nothing while a team's ledger cannot be reached: one works on alone."""
    try:
        return kept.state(project).erasures.objects
    except Unavailable:
        return {}


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
    store, index, locked = kept.store_here(project), kept.index(project), lock.read(project.root)
    names = _that_lie_here(project, chosen(project, names, [name for name in project.data if name in locked]), named=bool(names))
    bring(project, [locked[name].digest for name in names])
    plans = {}
    for name in names:
        plans[name] = outs.plan(here(project.data[name], project.root, index), _files(project, store, name, locked[name]), store)
        if not force:
            outs.refuse_loss(plans[name], name)
    rows = [_checked_out(name, locked[name], plan) for name, plan in plans.items()]
    for name, plan in plans.items() if not dry_run else ():
        bring(project, (), [file.digest for file in plan.write])
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
    store, safe = kept.store_here(project), kept.remote(project).has({file.digest for file in files})

    def link(file: FileEntry, target: Path) -> bool:
        if file.digest not in safe:
            return False
        try:
            store.get_link(file.digest, target)
        except OSError:
            return False
        return True

    return link


def bring(project: Project, snapshots: Iterable[Digest], files: Iterable[Digest] = ()) -> None:
    """Where there is a remote, fetch from it what is not on this machine: listings of snapshots, and files."""
    store = kept.store_here(project)
    absent = [digest for digest in files if not store.has(digest)]
    unlisted = [digest for digest in snapshots if not store.has(digest)]
    if project.remote is None or not (absent or unlisted):
        return
    remote = kept.remote(project)
    with putting(project, "towpath data checkout"):
        share.fetch_listing(store, unlisted, lambda digests: remote.fetch(digests, store))
        if absent:
            remote.fetch(absent, store)


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

        outs.carry_out(plan, project.root, kept.store_here(project), index, link=link, tell=tell)


@app.command(hidden=True)
def merge(context: typer.Context, base: Path, ours: Path, theirs: Path, path: str) -> None:
    """Merge towpath.lock for Git, which gives three versions of it and takes the result from the second."""
    project = project_file.load(shared.folder(context) / Path(path).parent, shared.environ())
    locks = [lock.parse(side.read_text(encoding="utf-8"), str(side)) for side in (base, ours, theirs)]
    merged = merge_locks(kept.store(project), *locks)
    ours.write_text(_with_marks(merged, locks[1], locks[2]), encoding="utf-8")
    for name, paths in merged.contradictions.items():
        typer.echo(f"{name}: both branches changed {', '.join(paths[:5])}{' and more' * (len(paths) > 5)}", err=True)
    if merged.contradictions:
        raise typer.Exit(1)


def _with_marks(merged: Merged, ours: dict[str, Locked], theirs: dict[str, Locked]) -> str:
    """The merged lock, with both lines of what could not be merged between Git's marks."""
    text = []
    for name in sorted(merged.locked.keys() | merged.contradictions.keys()):
        if name in merged.contradictions:
            one, other = ({name: side[name]} if name in side else {} for side in (ours, theirs))
            text.append(f"<<<<<<< ours\n{lock.text_of(one)}=======\n{lock.text_of(other)}>>>>>>> theirs\n")
        else:
            text.append(lock.text_of({name: merged.locked[name]}))
    return "".join(text)


@app.command()
def history(context: typer.Context, names: Names = None) -> None:
    """The versions of datasets as commits have them, newest first, and which versions of the model were trained on them."""
    project = shared.project(context)
    state = kept.state(project)
    trained: dict[str, list[int]] = {}
    for number, version in state.registry.versions.items():
        for taken in state.runs.all[version.candidate.run].snapshots.values():
            trained.setdefault(taken.digest, []).append(number)
    rows = [row for row in _commits(project.root, trained) if not names or row.dataset in names]
    shared.answer(context, rows, views.history(rows))


def _commits(root: Path, trained: dict[str, list[int]]) -> list[HistoryRow]:
    """Each change of a line of the lock, newest commit first."""
    logged = git(root, "log", "--format=%H%x09%cI%x09%s", "--", LOCK).splitlines()
    rows: list[HistoryRow] = []
    before: dict[str, Locked] = {}
    for line in reversed(logged):
        commit, at, subject = line.split("\t", 2)
        now = lock.parse(git(root, "show", f"{commit}:./{LOCK}"), f"{commit[:8]}:{LOCK}")
        rows += [
            HistoryRow(
                dataset=name, digest=one.digest, rows=one.rows, commit=commit, at=at, subject=subject, trained=trained.get(one.digest, [])
            )
            for name, one in now.items()
            if before.get(name) != one
        ]
        before = now
    return rows[::-1]
