"""`why step`: why a step was executed, or was not; and what its fingerprint cannot know."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from towpath import holdings, kept
from towpath.cli import shared
from towpath.digest import Digest
from towpath.errors import TowpathError
from towpath.origin import Origin
from towpath.pipeline.code.reach import Project as Code
from towpath.pipeline.executions import Asked, Time, asked
from towpath.pipeline.fan_out import is_part, whole_of
from towpath.pipeline.reasons import Change, differences, in_words, layers
from towpath.pipeline.used import used_weaknesses
from towpath.project import FILE, Project
from towpath.project_file import DVC
from towpath.store import Store

STAGE = f"{DVC}: what a stage reads that `deps` and `params` do not name, and the versions of its programs"
PROGRAM = "the versions of its programs: declare a command that prints them, such as `version: Rscript --version`"

app = shared.new_app()


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. ``before`` and ``changes`` are None where there is nothing to compare with, or no longer.

    ``parts``: of a step that is made in parts, whether each was reused.
    """

    step: str
    run: int
    fingerprint: Digest
    reused: bool
    origin: Origin | None
    made_by: int | None
    before: int | None
    because: str
    layers: list[str]
    changes: list[Change] | None
    parts: dict[str, bool]
    weaknesses: list[str]


@app.command()
def step(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="a step that some run came to")],
    run: Annotated[int | None, typer.Option("--run", min=1, metavar="N", help="of that run, not of the last one")] = None,
) -> None:
    """Why a step was executed or reused: which layer of its causes differs from the time before, with the diff; and its weaknesses."""
    project = shared.project(context)
    runs = kept.state(project).runs
    found = asked(runs, name, run)
    changes = _changes(found, holdings.store(project))
    explained = Explained(
        step=name,
        run=found.this.run,
        fingerprint=found.this.fingerprint,
        reused=found.this.reused,
        origin=found.this.origin,
        made_by=found.made.run if found.made else None,
        before=found.before.run if found.before else None,
        because=_because(found, changes),
        layers=layers(changes or []),
        changes=changes,
        parts={one.step: one.reused for one in runs.all[found.this.run].steps if is_part(one.step, name)},
        weaknesses=_weaknesses(project, whole_of(name)),
    )
    shared.answer(context, explained, _in_words(explained))


def _changes(found: Asked, store: Store) -> list[Change] | None:
    """What differs from the time before; None where either's causes are not in the store."""
    if found.before is None or not all(store.has(one.fingerprint) for one in (found.this, found.before)):
        return None
    before, after = (_causes(store, one) for one in (found.before, found.this))
    return differences(before, after)


def _causes(store: Store, time: Time) -> dict[str, Any]:
    return msgspec.json.decode(store.get(time.fingerprint), type=dict[str, Any])


_UNTOLD = "an execution that no run told of: one that was killed, or `towpath reproduce`"


def _because(found: Asked, changes: list[Change] | None) -> str:
    this, made = found.this, found.made
    if this.reused:
        since = f"run {made.run} ({made.at:%Y-%m-%d %H:%M}), which executed it in {made.seconds:.1f} s" if made else _UNTOLD
        first = "reused: nothing that it depends on has changed since " + (f"it was executed by {this.origin}" if this.origin else since)
    elif this.origin:
        first = f"executed in {this.seconds:.1f} s, to compare with the execution by {this.origin}"
    elif found.known:
        first = f"executed again, though nothing has changed since run {found.known.run}: what it had made was not there, or not asked for"
    else:
        first = f"executed in {this.seconds:.1f} s"
    return f"{first}; {_compared(found, changes)}"


def _compared(found: Asked, changes: list[Change] | None) -> str:
    if found.before is None:
        return "there is no other time to compare with"
    before = f"run {found.before.run} ({found.before.at:%Y-%m-%d %H:%M})"
    if changes is None:
        return f"{before} had other causes, and what they were is not in the store"
    return f"since {before} {_listed(layers(changes))} changed"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _in_words(one: Explained) -> str:
    lines = [f"step {one.step}, run {one.run}: {one.because}"]
    for change in one.changes or ():
        lines += [f"  {in_words(change)}", *(f"    {line}" for line in change.diff)]
    if one.parts:
        executed = [part for part, reused in one.parts.items() if not reused]
        lines.append(f"  {len(one.parts):,} parts, executed: {', '.join(executed) or 'none'}")
    if one.weaknesses:
        lines += ["what its fingerprint cannot know, as the code is now:", *(f"  {words}" for words in one.weaknesses)]
    return "\n".join(lines)


def _weaknesses(project: Project, name: str) -> list[str]:
    """Of the step as its code is now; a fault in that code is told in their place."""
    if DVC in project.steps:
        return [STAGE]
    plan = project.steps.get(name)
    if plan and plan.cmd is not None:
        return [] if plan.version else [f"{FILE}:{project.line('steps', name, 'cmd')}: {PROGRAM}"]
    try:
        if plan and plan.use:
            return list(used_weaknesses(*plan.use.split(":")))
        if not project.pipeline or not (project.root / project.pipeline).is_file():
            return []
        return list(Code(project.root, project.pipeline).weaknesses(name))
    except TowpathError as fault:
        return [f"the code cannot be read: {fault.what}"]
