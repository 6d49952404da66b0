"""`towpath data erase`: rows that nothing keeps any longer."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from towpath import events as ev
from towpath import holdings, wiring
from towpath.cli import shared
from towpath.cli.data_named import chosen
from towpath.cli.data_rows import Dataset, DryRun, Reason
from towpath.cli.putting import alone
from towpath.data import erase as erasing
from towpath.data import lock, sides
from towpath.data.erase import Plan, Rewritten, Whose
from towpath.data.lock import Locked
from towpath.data.sides import Side
from towpath.data.without import names as names_of
from towpath.digest import Digest, of_value
from towpath.errors import UsageError
from towpath.journal.commit import forget
from towpath.project import Project
from towpath.report import data_rows as views
from towpath.report.data_rows import Erased
from towpath.world import World

app = shared.new_app()

SALT = "erasures.salt"
_SALT_BYTES = 32


@app.command()
def erase(
    context: typer.Context,
    name: Dataset,
    key: Annotated[list[str], typer.Option("--key", metavar="VALUE[,VALUE]", help="the key's values, or its first ones; may be repeated")],
    reason: Reason = "",
    dry_run: DryRun = False,
) -> None:
    """Take a person's rows out of the files, the store and the journal, and tell which versions were trained on them."""
    project = shared.project(context)
    chosen(project, [name])
    whose = _whose(project, name, key)
    _refuse_reason(reason, whose, dry_run=dry_run)
    world, work = wiring.world(project), _work(project, name)
    with alone(project, "towpath data erase"):
        state = world.state()
        planned = erasing.plan(whose, work, holdings.store_here(project), state.runs, state.registry)
        journal = 0 if dry_run else _carry_out(world, whose, planned, work, reason)
    told = _told(project, name, planned, journal, dry_run=dry_run)
    shared.answer(context, told, views.erased(told))


def _whose(project: Project, name: str, texts: list[str]) -> Whose:
    key = project.data[name].key
    if not key:
        raise UsageError(
            f"{name} has no key: nothing names its rows", mend=f"declare it in towpath.yaml: `key: [COLUMN]` under data.{name}"
        )
    return Whose(dataset=name, key=key, names=names_of(texts, key))


def _refuse_reason(reason: str, whose: Whose, *, dry_run: bool) -> None:
    """The reason is kept for ever: it must be there, and must not name whom it is about."""
    if not reason.strip() and not dry_run:
        raise UsageError("a reason is missing", mend='--reason "request 2026-14", for whoever reads the history')
    if any(value in reason.split() for name in whose.names for value in name):
        raise UsageError("the reason names a value of the key, and the history is kept for ever", mend="refer to the request by its number")


def _work(project: Project, name: str) -> Side:
    if not project.data[name].is_here:
        return sides.of_nothing("work", holdings.store(project))
    return sides.of_work(project.data[name], project.root, holdings.store(project), holdings.index(project))


def _carry_out(world: World, whose: Whose, planned: Plan, work: Side, reason: str) -> int:
    """What stands in is durable first, then the fact, then what is to go goes: cut off at any point, the same command finishes it."""
    project, store = world.project, world.store
    made = erasing.rewrite(planned, whose, work, store)
    before, after = lock.read(project.root).get(whose.dataset), dict[str, Locked]()
    if before and before.digest in planned.snapshots:
        after[whose.dataset] = Locked(*erasing.relocked(store, before.digest, planned, made.objects))
    store.sync()
    journal = forget(world.spool, world.journal, whose.is_of_row)
    if planned.is_empty and not journal:
        return 0
    world.tell(_event(project, whose, planned, made, journal, reason))
    _write(project, made)
    lock.update(project.root, after)
    here = holdings.store_here(project)
    here.collect({digest for digest, _ in here.objects() if digest not in made.objects})
    return journal


def _event(project: Project, whose: Whose, planned: Plan, made: Rewritten, journal: int, reason: str) -> ev.RowsErased:
    return ev.RowsErased(
        dataset=whose.dataset,
        key=of_value([_salt(project.home / SALT), whose.key, whose.names]),
        rows=sum(planned.here.values()),
        objects=made.objects,
        snapshots=planned.snapshots,
        versions=planned.versions,
        journal=journal,
        by=getpass.getuser(),
        because=reason,
    )


def _salt(file: Path) -> str:
    """What makes it hopeless to try all values; whoever deletes the file makes the digests say nothing for ever."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(os.urandom(_SALT_BYTES).hex(), encoding="ascii")
        file.chmod(0o600)
    return file.read_text(encoding="ascii")


def _write(project: Project, made: Rewritten) -> None:
    """The files as they are now, each whole or not at all; one without any other row goes."""
    for path, data in made.here.items():
        file = (project.root / path).resolve()  # of a link, what it points to
        if not data:
            file.unlink()
            continue
        half = file.with_name(f".towpath-{os.getpid()}-{file.name}")
        half.write_bytes(data)
        half.chmod(file.stat().st_mode & 0o777)
        half.replace(file)


def _told(project: Project, name: str, planned: Plan, journal: int, *, dry_run: bool) -> Erased:
    return Erased(
        dataset=name,
        dry_run=dry_run,
        files=dict(planned.here),
        objects=len(planned.kept) + len(planned.made),
        snapshots=[Digest(digest) for digest in planned.snapshots],
        versions=list(planned.versions),
        journal=journal,
        unread=list(planned.unread),
        is_here=project.data[name].is_here,
        has_remote=project.remote is not None,
    )
