"""Taking rows out of everything that is kept: first what would have to change, then the change itself.

What holds the rows is looked for by content, not by name: in every file of every snapshot of the dataset that the store has, in what
steps made of these, in rows that failed checks, and in what was noted of the files.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import msgspec
import polars as pl

from towpath.data import facts, keys, manifest, read, shift
from towpath.data.manifest import Snapshot
from towpath.data.sides import Side
from towpath.data.without import Name, is_equal, theirs, without
from towpath.digest import Digest
from towpath.errors import Broken, Refused, UnknownName, UsageError
from towpath.pipeline.runs import Runs
from towpath.pipeline.values import Parts, Value
from towpath.registry import Registry
from towpath.store import Execution, Store, trees
from towpath.store.trees import FileEntry

_MANIFEST_BYTES = 1 << 16


class Listed(Store, Protocol):
    """A store that can tell all that it has."""

    def objects(self) -> Iterator[tuple[Digest, int]]: ...

    def executions(self) -> Iterator[Execution]: ...


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Rows by the values of a dataset's key."""

    dataset: str
    key: tuple[str, ...]
    names: tuple[Name, ...]

    def of(self, frame: pl.DataFrame) -> pl.Series:
        """Which rows they are. Raises Refused where a column is not there."""
        return theirs(frame, self.key, self.names)

    def is_of_row(self, row: str) -> bool:
        """Whether it is one of them, of a row as the journal has it: JSON. One without the columns is not."""
        said = msgspec.json.decode(row)
        return any(
            all(column in said and is_equal(said[column], value) for column, value in zip(self.key, name, strict=False))
            for name in self.names
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What holds the rows.

    ``here``: files as they are now, ``kept``: files of snapshots, each with how many of its rows; ``made``: other objects of the store.
    ``unread`` are files that are no table, or have no such column: nobody can say what is in them.
    """

    here: Mapping[str, int]
    kept: Mapping[Digest, tuple[str, int]]
    snapshots: tuple[Digest, ...]
    made: frozenset[Digest]
    versions: tuple[int, ...]
    unread: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing holds such a row."""
        return not (self.here or self.kept or self.made)


def plan(whose: Whose, work: Side, store: Listed, runs: Runs, registry: Registry) -> Plan:
    """Look everywhere; nothing is changed."""
    unread: list[str] = []
    here = {file.path: count for file in work.here if (count := _count(whose, file, work.read, unread))}
    snapshots = dict(_snapshots(store, whose.dataset))
    kept: dict[Digest, tuple[str, int]] = {}
    holding = []
    looked: dict[Digest, int] = {}
    for digest, snapshot in snapshots.items():
        files = list(trees.files(store, snapshot.root))
        for file in files:
            if file.digest not in looked:
                looked[file.digest] = _count(whose, file, lambda one: store.get(one.digest), unread) if store.has(file.digest) else 0
            if looked[file.digest]:
                kept[file.digest] = file.path, looked[file.digest]
        if any(looked[file.digest] for file in files):
            holding.append(digest)
    made = _made(whose, store, runs, {digest: snapshots[digest] for digest in holding}, kept)
    trained = _trained(runs, registry, whose.dataset, set(holding))
    return Plan(here=here, kept=kept, snapshots=tuple(sorted(holding)), made=made, versions=trained, unread=tuple(sorted(set(unread))))


def _count(whose: Whose, file: FileEntry, take: Callable[[FileEntry], bytes], unread: list[str]) -> int:
    try:
        return int(whose.of(read.read_bytes(take(file), file.path)).sum())
    except (Refused, UsageError):
        unread.append(file.path)
        return 0


def _snapshots(store: Listed, dataset: str) -> Iterator[tuple[Digest, Snapshot]]:
    """Every snapshot of a dataset that the store has, also one that nothing names, with its listing."""
    for digest, size in store.objects():
        if size > _MANIFEST_BYTES or not _may_be_manifest(store.get(digest)):
            continue
        with suppress(Broken, UnknownName):
            found = manifest.manifest(store, digest)
            if found.dataset == dataset and all(store.has(node) for node in trees.nodes(store, found.root)):
                yield digest, found


def _may_be_manifest(data: bytes) -> bool:
    return data.startswith(b"{") and b'"root"' in data


def _trained(runs: Runs, registry: Registry, dataset: str, snapshots: set[Digest]) -> tuple[int, ...]:
    """The versions that were trained on one of these snapshots."""
    return tuple(
        number
        for number, version in registry.versions.items()
        if (taken := runs.all[version.candidate.run].snapshots.get(dataset)) and taken.digest in snapshots
    )


def _made(whose: Whose, store: Listed, runs: Runs, holding: Mapping[Digest, Snapshot], kept: Iterable[Digest]) -> frozenset[Digest]:
    """Objects that were made from the rows: by steps, by checks, and as notes of files and tables."""
    notes = {keys.name_of(file, whose.key) for file in kept} | {shift.name_of(snapshot.root) for snapshot in holding.values()}
    contents = {taken.content for run in runs.all.values() for taken in run.snapshots.values() if taken.digest in holding}
    contents |= {noted.content for snapshot in holding.values() if (noted := facts.recall(store, snapshot.root))}
    executions = [one for one in store.executions() if store.has(one.output)]
    found = {one.output for one in executions if one.fingerprint in notes}
    elsewhere = {file.digest for run in runs.all.values() for taken in run.snapshots.values() for file in _files(store, taken.digest)}
    found |= {digest for one in _derived(store, executions, contents) for digest in _objects(store, one)} - elsewhere
    saved = {verdict.saved for run in runs.all.values() for verdict in run.checks if verdict.saved}
    return frozenset(found | {Digest(one) for one in saved if store.has(Digest(one)) and _holds(whose, store.get(Digest(one)))})


def _derived(store: Store, executions: Sequence[Execution], contents: set[Digest]) -> list[Execution]:
    """The executions of steps that were given one of these contents, or what another of them made of it."""
    inputs = {one.fingerprint: _inputs(store, one.fingerprint) for one in executions}
    found: list[Execution] = []
    while more := [one for one in executions if one not in found and inputs[one.fingerprint] & contents]:
        found += more
        contents = contents | {content for one in more for content in (one.content, *(part.content for part in _parts(store, one)))}
    return found


def _objects(store: Store, made: Execution) -> set[Digest]:
    """What an execution put into the store."""
    parts = {part.output for part in _parts(store, made)}
    files = {file.digest for file in trees.files(store, made.output)} if made.codec == "files" else set()
    return {made.output, *parts, *files}


def _parts(store: Store, made: Execution) -> list[Value]:
    """The parts into which a table was split."""
    return [part for _, part in msgspec.json.decode(store.get(made.output), type=Parts).parts] if made.codec == "parts" else []


def _files(store: Store, snapshot: Digest) -> tuple[FileEntry, ...]:
    """Those of a snapshot; none where the store has not got it."""
    with suppress(Broken, UnknownName):
        return manifest.files_of(store, snapshot)
    return ()


class _Causes(msgspec.Struct):
    inputs: dict[str, Digest]


def _inputs(store: Store, fingerprint: Digest) -> set[Digest]:
    if not store.has(fingerprint):
        return set()
    try:
        return set(msgspec.json.decode(store.get(fingerprint), type=_Causes).inputs.values())
    except msgspec.DecodeError:
        return set()


def _holds(whose: Whose, table: bytes) -> bool:
    try:
        return bool(whose.of(pl.read_parquet(io.BytesIO(table))).any())
    except (Refused, pl.exceptions.PolarsError):
        return False


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """What stands in for each object, and the new bytes of files as they are now; empty where no row is left."""

    objects: dict[str, str]
    here: dict[str, bytes]


def rewrite(planned: Plan, whose: Whose, work: Side, store: Store) -> Rewritten:
    """Put what stands in for files that hold the rows into the store; nothing is taken away yet.

    Raises:
        Refused: a text file cannot be told into its rows. What was put is harmless.
    """
    objects = dict.fromkeys(planned.made, "")
    for digest, (path, _) in planned.kept.items():
        left = _left(whose, store.get(digest), path)
        objects[digest] = store.put(left) if left else ""
    files = {file.path: file for file in work.here}
    return Rewritten(
        objects={str(key): value for key, value in objects.items()},
        here={path: _left(whose, work.read(files[path]), path) for path in planned.here},
    )


def _left(whose: Whose, data: bytes, path: str) -> bytes:
    return without(data, path, whose.of(read.read_bytes(data, path)))


def relocked(store: Store, digest: Digest, planned: Plan, objects: Mapping[str, str]) -> tuple[Digest, int]:
    """The snapshot ``digest`` with its files as they are without the rows; its digest and rows."""
    old = manifest.manifest(store, digest)
    entries = []
    for file in manifest.files_of(store, digest):
        if file.digest not in planned.kept:
            entries.append(file)
        elif objects[file.digest]:
            new = Digest(objects[file.digest])
            rows = file.rows - planned.kept[file.digest][1] if file.rows >= 0 else -1
            entries.append(FileEntry(file.path, new, len(store.get(new)), rows))
    snapshot, found = manifest.keep(store, old.dataset, old.kind, entries, old.source)
    return found, snapshot.rows
