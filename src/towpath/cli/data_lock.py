"""towpath.lock over commits and branches: `data history`, `data merge`."""

from __future__ import annotations

from pathlib import Path

import typer

from towpath import holdings, kept, project_file
from towpath.cli import data_commits, shared
from towpath.cli.data_named import Names
from towpath.cli.repository import git, is_repository
from towpath.data import lock
from towpath.data.lock import LOCK, Locked
from towpath.data.merge import Merged
from towpath.data.merge import merge as merge_locks
from towpath.pipeline import worktree
from towpath.report import data as views
from towpath.report.data import HistoryRow

app = shared.new_app()


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
    """Each change of a line of the lock, newest commit first. A commit whose lock says nothing, or two things, is passed over."""
    if not is_repository(root) or not worktree.head(root):
        return []
    logged = [line.split("\t", 2) for line in reversed(git(root, "log", "--format=%H%x09%cI%x09%s", "--", LOCK).splitlines())]
    rows: list[HistoryRow] = []
    before: dict[str, Locked] = {}
    for (commit, at, subject), now in zip(logged, data_commits.of_commits(root, [commit for commit, _, _ in logged]), strict=True):
        if now is None:
            continue
        rows += [
            HistoryRow(
                dataset=name, digest=one.digest, rows=one.rows, commit=commit, at=at, subject=subject, trained=trained.get(one.digest, [])
            )
            for name, one in now.items()
            if before.get(name) != one
        ]
        before = now
    return rows[::-1]


@app.command(hidden=True)
def merge(context: typer.Context, base: Path, ours: Path, theirs: Path, path: str) -> None:
    """Merge towpath.lock for Git, which gives three versions of it and takes the result from the second."""
    project = project_file.load(shared.folder(context) / Path(path).parent, shared.environ())
    locks = [lock.parse(side.read_text(encoding="utf-8"), str(side)) for side in (base, ours, theirs)]
    merged = merge_locks(holdings.store(project), *locks)
    ours.write_text(_with_marks(merged, locks[1], locks[2]), encoding="utf-8")
    for name, paths in merged.contradictions.items():
        typer.echo(f"{name}: both branches changed {', '.join(paths[:5])}{' and more' * (len(paths) > 5)}", err=True)
    for fault in merged.faults.values():
        typer.echo(f"{fault.what} (mend: {fault.mend})", err=True)
    if merged.contradictions or merged.faults:
        raise typer.Exit(1)


def _with_marks(merged: Merged, ours: dict[str, Locked], theirs: dict[str, Locked]) -> str:
    """The merged lock, with both lines of what could not be merged between Git's marks."""
    text, open_ = [], merged.contradictions.keys() | merged.faults.keys()
    for name in sorted(merged.locked.keys() | open_):
        if name in open_:
            one, other = ({name: side[name]} if name in side else {} for side in (ours, theirs))
            text.append(f"<<<<<<< ours\n{lock.text_of(one)}=======\n{lock.text_of(other)}>>>>>>> theirs\n")
        else:
            text.append(lock.text_of({name: merged.locked[name]}))
    return "".join(text)
