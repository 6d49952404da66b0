"""`towpath data diff`: what two versions of datasets differ in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import typer

from towpath import holdings, kept
from towpath.cli import data_commits, shared
from towpath.cli.data_named import chosen, erased
from towpath.cli.pictures import draw
from towpath.cli.repository import git
from towpath.data import lock, manifest, sides
from towpath.data.diff import diff as compare
from towpath.data.difference import Difference, Files
from towpath.data.index import Index
from towpath.data.lock import LOCK, Locked
from towpath.data.sides import Side
from towpath.digest import Digest
from towpath.errors import UnknownName, UsageError
from towpath.project import Project
from towpath.report import data_diff as views
from towpath.report.data_picture import drawn
from towpath.store import Store

app = shared.new_app()

WORK, THE_LOCK = "work", "lock"
_PREFIX = re.compile(r"[0-9a-f]{8,64}")


class Version(NamedTuple):
    """What was asked for, and which snapshot that is of each dataset; ``digests`` is None for the files as they are now.

    One that was named by a snapshot's digest is of that ``only`` dataset.
    """

    said: str
    digests: Mapping[str, Digest] | None
    only: str = ""

    def has(self, name: str) -> bool:
        """Whether it may have a dataset."""
        return self.digests is None or name in self.digests


@app.command()
def diff(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[A] [B] [DATASET]...",
            help="A, B: `work` (the files as they are), `lock`, a revision of Git, or a snapshot's digest; lock and work when left out",
        ),
    ] = None,
    shifts: Annotated[bool, typer.Option("--shift/--no-shift", help="compare columns over all rows, which reads A once")] = True,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="draw it: .png, .svg or .html")] = None,
) -> None:
    """What two versions of datasets differ in: files, columns, rows by key, and how far the columns' values moved."""
    project = shared.project(context)
    said, names = _asked(words or [], project)
    store, index = holdings.store(project), holdings.index(project)
    versions = [_version(one, project, store) for one in said]
    found = []
    for name in _datasets(project, names, versions):
        before, after = (_side(name, version, project, store, index) for version in versions)
        dataset = project.data[name]
        found.append(compare(name, before, after, key=dataset.key, leave=[dataset.time] if dataset.time else [], shifts=shifts))
    found = [_printable(one) for one in found]
    if picture:
        draw(picture, lambda form: drawn(found, form))
    shared.answer(context, found, views.differences(found))


def _asked(words: list[str], project: Project) -> tuple[tuple[str, str], list[str]]:
    """The two versions, then datasets: the first word that names one begins them."""
    place = next((place for place, word in enumerate(words) if word in project.data), len(words))
    if place > 2:
        raise UnknownName("dataset", words[2], project.data)
    one, other = [*words[:place], *(THE_LOCK, WORK)[place:]]
    return (one, other), words[place:]


def _version(said: str, project: Project, store: Store) -> Version:
    if said == WORK:
        return Version(said, None)
    if said == THE_LOCK:
        locked = lock.read(project.root)
        if not locked:
            raise UsageError(f"there is no {LOCK} yet", mend="towpath data add")
        return Version(said, _digests(locked))
    digest = _snapshot(said, project, store) if _PREFIX.fullmatch(said) else None
    if digest is None:
        return Version(said, _digests(_of_commit(said, project.root)))
    if not store.has(digest):
        raise UsageError(f"snapshot {digest[:8]} is not in the store of this machine", mend="towpath data pull")
    dataset = manifest.manifest(store, digest).dataset
    return Version(said, {dataset: digest}, only=dataset)


def _digests(locked: Mapping[str, Locked]) -> dict[str, Digest]:
    return {name: one.digest for name, one in locked.items()}


def _snapshot(prefix: str, project: Project, store: Store) -> Digest | None:
    """The snapshot whose digest begins so, of all that the lock, its history or a run names; None where there is none."""
    if len(prefix) == 64 and store.has(Digest(prefix)):
        return Digest(prefix)
    named = {one.digest for one in lock.read(project.root).values()}
    named |= {taken.digest for run in kept.state(project).runs.all.values() for taken in run.snapshots.values()}
    found = {digest for digest in named if digest.startswith(prefix)} or {
        digest for digest in _ever_locked(project.root) if digest.startswith(prefix)
    }
    if len(found) > 1:
        raise UsageError(f"{prefix} begins {len(found)} snapshots: {', '.join(sorted(found))}", mend="write more of it")
    return next(iter(found), None)


def _ever_locked(root: Path) -> set[Digest]:
    """The snapshots of every lock that this repository has."""
    try:
        return {digest for _, digest in data_commits.named(root)}
    except UsageError:
        return set()  # no repository


def _of_commit(revision: str, root: Path) -> dict[str, Locked]:
    mend = f"a version is `{WORK}`, `{THE_LOCK}`, a revision of Git, or the first 8 characters of a snapshot's digest or more"
    try:
        commit = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except UsageError:
        raise UsageError(f"{revision!r} is no version: no revision of Git, no snapshot's digest", mend=mend) from None
    try:
        text = git(root, "show", f"{commit}:./{LOCK}")
    except UsageError:
        raise UsageError(f"{revision} ({commit[:8]}) has no {LOCK}", mend="name a commit after the first `towpath data add`") from None
    return lock.parse(text, f"{commit[:8]}:{LOCK}")


def _datasets(project: Project, names: list[str], versions: list[Version]) -> list[str]:
    """Those that were named, or those that either version has."""
    if names:
        return chosen(project, names)
    only = {version.only for version in versions if version.only}
    if len(only) > 1:
        raise UsageError(f"the snapshots are of {' and '.join(sorted(only))}", mend="compare two snapshots of one dataset")
    return [name for name in project.data if any(version.has(name) for version in versions) and (not only or name in only)]


def _side(name: str, version: Version, project: Project, store: Store, index: Index) -> Side:
    if version.digests is None:
        return sides.of_work(project.data[name], project.root, store, index)
    if name not in version.digests:
        return sides.of_nothing(version.said, store)
    return sides.of_snapshot(version.said, version.digests[name], store, erased(project))


def _printable(one: Difference) -> Difference:
    """With names that any reader can have: what is no UTF-8 is written as escapes."""
    files = one.files
    named = Files(
        added=views.readable(files.added),
        removed=views.readable(files.removed),
        changed=views.readable(files.changed),
        moved=list(zip(views.readable([was for was, _ in files.moved]), views.readable([now for _, now in files.moved]), strict=True)),
        same=files.same,
        size_before=files.size_before,
        size_after=files.size_after,
    )
    return msgspec.structs.replace(one, files=named, trouble=views.readable([one.trouble])[0])
