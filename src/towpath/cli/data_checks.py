"""`towpath data check` and `towpath data propose`."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import polars as pl
import typer

from towpath import holdings, kept
from towpath.cli import shared
from towpath.cli.checks_file import alone, with_checks
from towpath.data.absent import to_check_out
from towpath.data.checks import Around, of_dataset
from towpath.data.checks.amount import are_files
from towpath.data.checks.propose import propose as proposed
from towpath.data.checks.wording import count
from towpath.data.exclude import parts_left
from towpath.data.snapshot import Part, known_facts, look
from towpath.data.writing import whole
from towpath.data.writing import write as write_text
from towpath.digest import Digest
from towpath.errors import Refused, UnknownName, UsageError
from towpath.events import Outcome
from towpath.project import FILE, Project
from towpath.verdict import Answer, Verdict

app = shared.new_app()

Names = Annotated[list[str] | None, typer.Argument(metavar="[DATASET]...", help="as `data` in towpath.yaml calls them; all, when left out")]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks of one dataset say."""

    dataset: str
    holds: bool
    verdicts: tuple[Verdict, ...]


@app.command()
def check(
    context: typer.Context,
    names: Names = None,
    rows: Annotated[Path | None, typer.Option(metavar="FILE", help="write the rows at fault of one dataset to a Parquet file")] = None,
) -> None:
    """Hold datasets against their checks, as a run does. The exit code is 1 when a check says no."""
    project = shared.project(context)
    chosen = names or list(project.data)
    if rows is not None and len(chosen) != 1:
        raise UsageError("--rows writes one file, for one dataset", mend=f"name the dataset: one of {', '.join(project.data)}")
    looked = _look(project, chosen)
    said = [_said(project, name, looked) for name in chosen]
    if rows is not None:
        _write(rows, said[0], project)
    shared.answer(context, said, "\n".join(_words(one) for one in said))
    if not all(one.holds for one in said):
        raise typer.Exit(1)


def _look(project: Project, chosen: Sequence[str]) -> dict[str, tuple[Part, ...]]:
    """The files of these datasets, and of those that their foreign keys refer to."""
    for name in chosen:
        if name not in project.data:
            raise UnknownName("dataset", name, project.data)
    referred = [target.partition(".")[0] for name in chosen for target in project.data[name].checks.foreign_keys.values()]
    store, index = holdings.store(project), holdings.index(project)
    wanted = dict.fromkeys([*chosen, *(name for name in referred if name in project.data)])
    excluded = kept.state(project).exclusions
    found = {}
    for name in wanted:
        with to_check_out(name, project.data[name], project.root):
            found[name] = parts_left(look(project.data[name], project.root, store, index), excluded.of(name))
    return found


def _said(project: Project, name: str, looked: Mapping[str, Sequence[Part]]) -> Said:
    store = holdings.store(project)
    accepted = kept.state(project).runs.last(Outcome.REGISTERED, Outcome.REJECTED, Outcome.HELD)
    known = accepted.snapshots.get(name) if accepted else None
    reference = known_facts(store, known.digest) if known and store.has(known.digest) else None
    around = Around(now=kept.clock().now(), reference=reference, others=looked, code=project.root, store=store)
    verdicts = of_dataset(project, name, looked[name], around)
    return Said(dataset=name, holds=all(one.answer is Answer.PASS for one in verdicts), verdicts=verdicts)


def _write(file: Path, said: Said, project: Project) -> None:
    saved = dict.fromkeys(verdict.saved for verdict in said.verdicts if verdict.saved)
    if not saved:
        raise Refused(f"no row of {said.dataset} is at fault: there is nothing to write to {file}", mend="leave --rows out")
    if file.exists():
        raise UsageError(f"there is a {file} already", mend="name a new file, or delete that one")
    store = holdings.store(project)  # the rules' rows are one object, a pandera schema's another
    rows = pl.concat([pl.read_parquet(io.BytesIO(store.get(Digest(one)))) for one in saved], how="diagonal_relaxed")
    with whole(file) as half:
        rows.write_parquet(half)


def _words(said: Said) -> str:
    failed = [verdict for verdict in said.verdicts if verdict.answer is not Answer.PASS]
    left_out = [verdict for verdict in said.verdicts if verdict.because.startswith("not supported")]
    head = f"{said.dataset}: {len(said.verdicts)} checks, {f'{len(failed)} say no' if failed else 'all hold'}"
    lines = [head, *(f"  {verdict.gate}: {verdict.because}" for verdict in left_out)]
    for verdict in failed:
        lines += [f"  {verdict.answer.value:<6}{verdict.because}", *(f"          {example}" for example in verdict.examples)]
    if any(verdict.saved for verdict in failed):
        lines.append(f"  all rows at fault: `towpath data check {said.dataset} --rows FILE.parquet`")
    return "\n".join(lines)


@app.command()
def propose(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="DATASET", help="as `data` in towpath.yaml calls it")],
    write: Annotated[bool, typer.Option("--write", help="put them into towpath.yaml; its comments stay")] = False,
) -> None:
    """Propose checks from what the data is now, with some room: types, nulls, ranges, sets, uniqueness."""
    project = shared.project(context)
    parts = _look(project, [name])[name]
    if are_files(parts):
        mend = "write `checks: {files: {min: ...}, bytes: {max: ...}}` by hand: nothing else can be asked of files"
        raise UsageError(f"{name} is files, which have no rows and no columns", mend=mend)
    unread = next((part for part in parts if part.frame is None), None)
    if unread:
        raise Refused(f"{unread.path} cannot be read: {unread.fault}", mend="have it delivered again, or take it away")
    found = proposed([(part.path, part.frame) for part in parts if part.frame is not None], project.data[name].key)
    file = project.root / FILE
    if write:
        write_text(file, with_checks(file.read_text(encoding="utf-8"), name, found))
    words = f"checks of {count(len(found['columns']), 'column')} were written into {file}" if write else alone(name, found)
    shared.answer(context, found, words)
