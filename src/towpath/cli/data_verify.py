"""`verify store` and `verify data`: whether what is kept is what was written, and all of it there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from towpath import holdings, kept
from towpath.cli import shared
from towpath.cli.data_named import Names, chosen
from towpath.cli.progress import Bar
from towpath.data import lock, share
from towpath.errors import TowpathError
from towpath.project import Project
from towpath.quantities import size_in_words

app = shared.new_app()


@app.command()
def store(
    context: typer.Context,
    remote: Annotated[bool, typer.Option("--remote", help="read what lies in the remote too")] = False,
) -> None:
    """Read every object of the store and hold it against its digest; each that changed is named. Exit code 1 if one did."""
    project = shared.project(context)
    here, count, size = holdings.store_here(project), 0, [0]
    total = sum(bytes_ for _, bytes_ in here.objects())
    with Bar("reading the store", shown=not shared.asked(context).json) as bar:

        def tell(bytes_: int) -> None:
            nonlocal count
            count += 1
            size[0] += bytes_
            bar.to(size[0], total, f"{count:,} objects")

        faults = [fault.what for fault in here.faults(tell)]
    told = {"objects": count, "size": size[0], "faults": faults}
    words = [f"{count:,} objects, {size_in_words(size[0])}: {'every one is what was written' if not faults else _listed(faults)}"]
    if remote:
        found = holdings.remote(project).verify()
        told, words = {**told, "remote": found._asdict()}, [*words, f"remote: {found}"]
        faults += found.faults
    shared.answer(context, told, "\n".join(words))
    if faults:
        raise typer.Exit(1)


@app.command()
def data(context: typer.Context, names: Names = None) -> None:
    """Whether all that towpath.lock names is there, in the store or the remote, and is what was written. Exit code 1 if not."""
    project = shared.project(context)
    locked = lock.read(project.root)
    there = chosen(project, names, [name for name in project.data if name in locked])
    faults = {name: list(_faults(project, locked[name])) for name in there}
    lines = [f"{name}: {_listed(found) if found else f'{locked[name].digest[:8]} is all there'}" for name, found in faults.items()]
    shared.answer(context, faults, "\n".join(lines) or f"{lock.LOCK} names no dataset: `towpath data add`")
    if any(faults.values()):
        raise typer.Exit(1)


def _faults(project: Project, locked: lock.Locked) -> Iterator[str]:
    store = holdings.store_here(project)
    try:
        objects = dict(share.objects(store if store.has(locked.digest) else holdings.store(project), locked.digest))
    except TowpathError as fault:
        yield f"its listing cannot be read: {fault.what} (mend: {fault.mend})"
        return
    erased = kept.state(project).erasures
    absent = [digest for digest in objects if not store.has(digest) and not erased.is_gone(digest)]
    lost = set(absent) - (holdings.remote(project).has(absent) if absent and project.remote else set())
    yield from (f"object {digest} is neither here nor in a remote" for digest in sorted(lost))
    for digest in filter(store.has, objects):
        try:
            store.get(digest)
        except TowpathError as fault:
            yield f"{fault.what} (mend: {fault.mend})"


def _listed(faults: list[str]) -> str:
    return f"{len(faults):,} faults" + "".join(f"\n  {fault}" for fault in faults[:20]) + ("\n  ..." if len(faults) > 20 else "")
