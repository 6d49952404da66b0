"""Versions of data and the team: `data push`, `data pull`, `data gc`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Annotated

import typer

from towpath import holdings, kept
from towpath.cli import shared
from towpath.cli.data_named import Names, chosen
from towpath.cli.progress import Bar
from towpath.cli.putting import alone, putting
from towpath.cli.repository import git, is_repository
from towpath.data import lock, share
from towpath.data.live import live, named_in
from towpath.digest import Digest
from towpath.errors import Broken, UnknownName, UsageError
from towpath.pipeline import checkpoints
from towpath.project import Project
from towpath.store import Store
from towpath.store.remote import Moved
from towpath.store.shared import parts

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


@app.command()
def gc(
    context: typer.Context,
    shared_too: Annotated[
        bool, typer.Option("--remote", help="in the remote too, where what is not needed is condemned now and deleted two weeks later")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be removed, and how many bytes")] = False,
) -> None:
    """Remove from the store what neither the ledger nor the towpath.lock of any branch or tag names. Your files are not touched.

    Checkpoints of steps go too, once the step has ended or nothing has changed them for two weeks.
    """
    project = shared.project(context)
    with alone(project, "towpath data gc"):
        store, needed = holdings.store_here(project), set(_roots(project))
        outputs = {execution.output: execution.codec for execution in store.executions()}
        erased = kept.state(project).erasures
        stays = {*live(store, {*needed, *outputs}), *_made(store, outputs)}
        here = store.collect({one for one in stays if not erased.is_gone(one)}, dry_run=dry_run)
        told, words = {"here": here._asdict()}, [f"here: {here}"]
        folder, now = checkpoints.folder_of(project.home), kept.clock().now()
        if old := checkpoints.collect(folder, lambda one: store.recall(one) is not None, now, dry_run=dry_run):
            told["checkpoints"], words = {"removed": old}, [*words, f"{old} checkpoints {'would be ' if dry_run else ''}removed"]
        if shared_too:
            remote, whole = holdings.remote(project), holdings.store(project)
            executions = remote.forget(dry_run=dry_run)
            stays = {*live(whole, needed), *_made(whole, executions.outputs)}  # what steps made names nothing, and is not fetched for this
            there = remote.gc([one for one in stays if not erased.is_gone(one)], dry_run=dry_run, erased=map(Digest, erased.objects))
            told["remote"] = {**there._asdict(), "executions": executions.kept, "executions_forgotten": executions.dropped}
            words = [*words, f"{remote.place}: {executions}", f"{remote.place}: {there}"]
    shared.answer(context, told, "\n".join(words))


def _made(store: Store, outputs: Mapping[Digest, str]) -> set[Digest]:
    """Every object of what steps made, with codecs, as far as it is there."""
    found: set[Digest] = set()
    for output, codec in outputs.items():
        with suppress(UnknownName, Broken):
            found |= set(parts(store, codec, output))
    return found


def _roots(project: Project) -> Iterator[Digest]:
    """Every digest that the ledger mentions, or the lock of any commit that a branch, a tag or the work tree has."""
    for record in kept.ledger(project).read():
        yield from named_in(record.body)
    yield from (one.digest for one in lock.read(project.root).values())
    if is_repository(project.root):
        for commit in git(project.root, "log", "--all", "--format=%H", "--", lock.LOCK).split():
            yield from named_in(git(project.root, "show", f"{commit}:./{lock.LOCK}").encode())
