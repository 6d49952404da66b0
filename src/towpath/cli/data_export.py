"""`towpath data export`: versions of data as other tools have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from towpath import holdings
from towpath.cli import shared
from towpath.cli.data_named import NEVER_ADDED, chosen
from towpath.cli.progress import Bar
from towpath.data import dvc_export, lock, share
from towpath.data.dvc_export import Exported
from towpath.data.lock import Locked
from towpath.data.manifest import files_of
from towpath.data.sources.dvc_places import Place
from towpath.errors import UsageError
from towpath.project import Project
from towpath.quantities import size_in_words
from towpath.store.trees import FileEntry

app = shared.new_app()


@app.command()
def export(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[DATASET]...", help="all that lie in the project, when left out")] = None,
    dvc: Annotated[bool, typer.Option("--dvc", help="as `.dvc` files, for `dvc pull`")] = False,
    to: Annotated[str | None, typer.Option(help="an s3:// URL or a folder, where DVC's default remote is not meant")] = None,
) -> None:
    """Write what towpath.lock names as DVC has it: `.dvc` files in the project, the bytes where `dvc pull` looks for them."""
    if not dvc:
        raise UsageError("an export is for one tool, and none was named", mend="towpath data export --dvc")
    project = shared.project(context)
    locked = lock.read(project.root)
    meant = chosen(project, names) if names else [name for name, one in project.data.items() if one.is_here and name in locked]
    for name in meant:
        _refuse(project, name, locked)
    if not meant:
        raise UsageError(f"nothing to export: {NEVER_ADDED}", mend="towpath data add")
    place = dvc_export.destination(project.root, to)
    done = {name: _exported(context, project, name, locked[name], place) for name in meant}
    shared.answer(context, [{"dataset": name, **one._asdict()} for name, one in done.items()], _words(done))


def _refuse(project: Project, name: str, locked: dict[str, Locked]) -> None:
    if not project.data[name].is_here:
        raise UsageError(f"{name} is read from elsewhere: its files are not in the project", mend="export datasets of files and folders")
    if name not in locked:
        raise UsageError(f"{name}: {NEVER_ADDED}", mend=f"towpath data add {name}")


def _exported(context: typer.Context, project: Project, name: str, locked: Locked, place: Place) -> Exported:
    store = holdings.store(project)
    if not store.has(locked.digest):
        raise UsageError(f"snapshot {locked.digest[:8]} of {name} is not in the store of this machine", mend=f"towpath data pull {name}")
    share.bring_listing(store, [locked.digest])
    files = files_of(store, locked.digest)
    with Bar(f"exporting {name}", shown=not shared.asked(context).json) as bar:
        return dvc_export.export(project.data[name].path, files, project.root, store, place, _Told(bar, files))


class _Told:
    """Counts the files that are done."""

    def __init__(self, bar: Bar, files: Sequence[FileEntry]) -> None:
        self._bar, self._total, self._of = bar, sum(file.size for file in files), len(files)
        self._done, self._files = 0, 0

    def __call__(self, file: FileEntry) -> None:
        self._done, self._files = self._done + file.size, self._files + 1
        self._bar.to(self._done, self._total, f"{self._files:,} of {self._of:,} files")


def _words(done: dict[str, Exported]) -> str:
    lines = []
    for name, one in done.items():
        more = f" and {len(one.written) - 2} more" if len(one.written) > 2 else ""
        count = f"{one.files:,} file{'s' * (one.files != 1)}"
        lines.append(f"{name}: {count}, {size_in_words(one.sent)} sent; {', '.join(one.written[:2])}{more}")
    return "\n".join([*lines, "next: commit the .dvc files; `dvc pull` brings the data where they are"])
