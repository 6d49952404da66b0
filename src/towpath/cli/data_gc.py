"""Removing what nothing needs any more: `data gc`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated

import typer

from towpath import holdings, kept
from towpath.cli import data_commits, shared
from towpath.cli.putting import alone
from towpath.cli.repository import is_repository
from towpath.data import lock
from towpath.data.live import live, named_in
from towpath.digest import Digest
from towpath.errors import Broken, UnknownName, UsageError
from towpath.pipeline import checkpoints
from towpath.project import Project
from towpath.store import Store
from towpath.store.shared import parts

app = shared.new_app()

_NO_COMMITS = f"no Git repository: kept is what {lock.LOCK} and the ledger name"


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
    has_commits = _has_commits(project, shared_too=shared_too)
    with alone(project, "towpath data gc"):
        store, needed = holdings.store_here(project), _roots(project, has_commits=has_commits)
        outputs = {execution.output: execution.codec for execution in store.executions()}
        erased = kept.state(project).erasures
        stays = {*live(store, {*needed, *outputs}), *_made(store, outputs)}
        here = store.collect({one for one in stays if not erased.is_gone(one)}, dry_run=dry_run)
        told, words = {"here": here._asdict()}, [*([] if has_commits else [_NO_COMMITS]), f"here: {here}"]
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


def _has_commits(project: Project, *, shared_too: bool) -> bool:
    """Whether there are commits that may name data. Raises UsageError where those of others cannot all be seen."""
    if is_repository(project.root):
        data_commits.refuse_shallow(project.root)
        return True
    if shared_too:
        what = f"{project.root} is in no Git repository: what the commits of others need in the remote cannot be told"
        raise UsageError(what, mend="run it in a clone that has all branches")
    return False


def _roots(project: Project, *, has_commits: bool) -> set[Digest]:
    """Every digest that the ledger mentions, or the lock of the work tree or of any commit."""
    mentioned = (digest for record in kept.ledger(project).read() for digest in named_in(record.body))
    now = (one.digest for one in lock.read(project.root).values())
    return {*mentioned, *now, *(data_commits.needed(project.root) if has_commits else ())}
