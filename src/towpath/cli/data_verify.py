"""`verify store` and `verify data`: whether what is kept is what was written, and all of it there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Annotated

import typer

from towpath import holdings, kept
from towpath.cli import shared
from towpath.cli.data_named import Names, chosen
from towpath.cli.progress import Bar
from towpath.cli.putting import alone
from towpath.data import lock, share
from towpath.errors import TowpathError
from towpath.project import Project
from towpath.quantities import size_in_words
from towpath.store.damage import Damage

_MEND = "mend: `towpath verify store --mend` sets these aside and leaves all else; a disk that changes bytes should be replaced"
_MENDED = "they were set aside, all else is as it was; next: `towpath data add` or `towpath data pull`, then `towpath verify data`"

app = shared.new_app()


@app.command()
def store(
    context: typer.Context,
    remote: Annotated[bool, typer.Option("--remote", help="read what lies in the remote too")] = False,
    mend: Annotated[bool, typer.Option("--mend", help="take what is damaged out of the store, so that it can be put there again")] = False,
) -> None:
    """Read every object of the store and hold it against its digest; each that changed is named. Exit code 1 if one did.

    With --mend what is damaged is gone from the store, and all else stays: then it can be added, pulled or made again.
    """
    project = shared.project(context)
    with alone(project, "towpath verify store --mend") if mend else nullcontext():
        count, size, damaged = _read(project, shown=not shared.asked(context).json)
        if mend:
            holdings.store_here(project).set_aside(damaged)
    faults = [one.fault.what for one in damaged]
    told: dict[str, object] = {"objects": count, "size": size, "faults": faults, "mended": mend}
    words = [f"{count:,} objects, {size_in_words(size)}: {_listed(faults) if faults else 'every one is what was written'}"]
    words += [_MENDED if mend else _MEND] if faults else []
    failed = bool(faults) and not mend
    if remote:
        found = holdings.remote(project).verify()
        told, words = {**told, "remote": found._asdict()}, [*words, f"remote: {found}"]
        failed = failed or bool(found.faults)
    shared.answer(context, told, "\n".join(words))
    if failed:
        raise typer.Exit(1)


def _read(project: Project, *, shown: bool) -> tuple[int, int, list[Damage]]:
    """How many objects the store has, of how many bytes, and what is damaged."""
    here = holdings.store_here(project)
    total, count, size = sum(bytes_ for _, bytes_ in here.objects()), 0, 0
    with Bar("reading the store", shown=shown) as bar:

        def tell(bytes_: int) -> None:
            nonlocal count, size
            count, size = count + 1, size + bytes_
            bar.to(size, total, f"{count:,} objects")

        damaged = list(here.damages(tell))
    return count, size, damaged


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
            store.check(digest)
        except TowpathError as fault:
            yield f"{fault.what} (mend: {fault.mend})"


def _listed(faults: list[str]) -> str:
    return f"{len(faults):,} faults" + "".join(f"\n  {fault}" for fault in faults[:20]) + ("\n  ..." if len(faults) > 20 else "")
