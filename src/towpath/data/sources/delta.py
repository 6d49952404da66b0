"""A Delta table at one version: its active Parquet files, as they are."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from towpath.data.sources.port import Look, Origin, address, marked
from towpath.data.walk import Found, Marks, NoFiles, Told
from towpath.errors import Unavailable, UsageError
from towpath.project import Dataset

UNREAD = {"deletionVectors": "deletion vectors", "columnMapping": "column mapping"}
_PARTITION = "partition."


class Delta:
    """A file that lacks columns because they are in its path, as partitions are, is written anew with them; all others stay as they are.

    ``dataset.delta``: a folder relative to ``root``, or a URL. Without a ``version``, the latest.
    """

    def __init__(self, dataset: Dataset, root: Path) -> None:
        place = dataset.delta or ""
        self._is_far = "://" in place
        self._place = place if self._is_far else str(root / place)
        self._shown, self._version = address(place), dataset.version
        self._partitions: dict[str, dict[str, pl.Series]] = {}

    def look(self) -> Look:
        with self._explained():
            table = DeltaTable(self._place, version=self._version, storage_options=_options())
            self._refuse_what_is_unread(table)
            added = pl.DataFrame(table.get_add_actions(flatten=True))
        identity, keys = table.metadata().id, [name for name in added.columns if name.startswith(_PARTITION)]
        self._partitions, found = {}, []
        for row in range(added.height):
            path = unquote(added["path"][row])
            if keys:
                self._partitions[path] = {name.removeprefix(_PARTITION): added[name].slice(row, 1) for name in keys}
            marks = marked(f"{identity} {path}", 0 if keys else added["size_bytes"][row])
            found.append(Found(f"{self._shown}#{path}", path, marks))
        if not found:
            raise NoFiles(f"{self._shown} has no rows at version {table.version()}", mend="write some, or name another `version`")
        origin: Origin = {"delta": self._shown, "version": table.version()}
        return Look(sorted(found, key=lambda file: os.fsencode(file.name)), origin)

    def _refuse_what_is_unread(self, table: DeltaTable) -> None:
        """Files whose rows are not what they seem would be read wrongly without a word."""
        used = {*(table.protocol().reader_features or ())}
        if table.metadata().configuration.get("delta.columnMapping.mode", "none") != "none":
            used.add("columnMapping")
        if strange := [words for feature, words in UNREAD.items() if feature in used]:
            raise UsageError(
                f"{self._shown} uses {' and '.join(strange)}, so that its files do not hold its rows as they are",
                mend="rewrite it without (`REORG TABLE ... APPLY (PURGE)`, then drop the feature), or read it by a query (`sql`)",
            )

    def read(self, file: Found, take: Callable[[str], Told]) -> tuple[Told, Marks]:
        with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
            path = self._at_hand(file.name, Path(folder))
            if file.name in self._partitions:
                path = _whole(path, self._partitions[file.name], Path(folder))
            return take(str(path)), file.marks

    def _at_hand(self, name: str, folder: Path) -> Path:
        """A file of the table on this machine; a table never changes its files, it only forgets old ones."""
        if not self._is_far:
            if not (path := Path(self._place, name)).exists():
                raise self._vacuumed(name)
            return path
        objects = import_module("towpath.data.sources.objects").Objects(self._place, shown=self._shown)
        target = folder / PurePosixPath(name).name
        objects.fetch(name, target)
        return target

    def _vacuumed(self, name: str) -> UsageError:
        return UsageError(
            f"{self._shown} lists {name}, and the file is gone: that version was vacuumed",
            mend="name a later `version`; snapshots that were taken before have their files still",
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except TableNotFoundError as fault:
            raise UsageError(f"there is no Delta table at {self._shown}", mend="mend `delta` under `data` in towpath.yaml") from fault
        except (DeltaError, OSError) as fault:
            raise self._fault(fault) from fault

    def _fault(self, fault: Exception) -> UsageError | Unavailable:
        if self._version is not None and "version" in str(fault):
            return UsageError(f"{self._shown} has no version {self._version}", mend="name one that it has, or none for the latest")
        said = str(fault).strip().partition("\n")[0][:300]
        return Unavailable(f"{self._shown} cannot be read: {said}", mend="look at its address, whether it is up, and at the credentials")


def _whole(path: Path, partition: dict[str, pl.Series], folder: Path) -> Path:
    """The rows of a file with the columns that its path has instead."""
    target = folder / f"whole-{path.name}"
    columns = [pl.lit(value.first(), dtype=value.dtype).alias(name) for name, value in partition.items()]
    pl.read_parquet(path, hive_partitioning=False).with_columns(columns).write_parquet(target)
    return target


def _options() -> dict[str, str] | None:
    """What the clouds' environment does not tell by itself: who names such an endpoint means it."""
    options: dict[str, Any] = {"AWS_ALLOW_HTTP": "true"}
    return options if os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://") else None
