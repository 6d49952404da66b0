"""A journal in two Delta Lake tables, ``predictions`` (a folder a day of ``at``) and ``labels``, written and read as Polars frames."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from towpath.errors import Broken, Conflict
from towpath.journal.port import (
    LABELS,
    PREDICTIONS,
    Batch,
    Label,
    News,
    Row,
    Scored,
    frame_of_labels,
    frame_of_predictions,
    unseen,
)

_ROWS = "towpath/rows"  # the application transaction that counts a table's rows
_AT_ONCE = 1000  # rows deleted by one condition
TIDY_EVERY = 50  # commits; each one since the last checkpoint adds .07 ms to the next


class DeltaJournal:
    """The tables are made when they are not there. An instance belongs to one thread; any number of processes may read.

    Every ``TIDY_EVERY`` commits small files are merged and the log gets a checkpoint. Files that a merge replaced stay for
    a day, so that a reader in mid-read still finds them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._predictions = _Table(root / "predictions", PREDICTIONS, by_day=True)
        self._labels = _Table(root / "labels", LABELS, by_day=False)

    def append(self, batches: Sequence[Batch[Scored]]) -> int:
        new = self._predictions.unseen(batches)
        rows = [row for batch in new for row in batch.rows]
        return self._predictions.write(frame_of_predictions(rows, self._predictions.mark()), new)

    def label(self, batches: Sequence[Batch[Label]]) -> int:
        new = self._labels.unseen(batches)
        rows = [row for batch in new for row in batch.rows]
        return self._labels.write(frame_of_labels(rows, self._labels.mark()), new)

    def appended(self, segment: str) -> int:
        return self._predictions.end_of(segment)

    def labelled(self, segment: str) -> int:
        return self._labels.end_of(segment)

    def forget(self, ids: Collection[str]) -> int:
        self._labels.remove(ids)
        return self._predictions.remove(ids)

    def predictions(self, after: int = 0) -> News:
        return self._predictions.read(after)

    def labels(self, after: int = 0) -> News:
        return self._labels.read(after)


class _Table:
    def __init__(self, path: Path, schema: pl.Schema, *, by_day: bool) -> None:
        self.path, self.schema, self.by_day = path, schema, by_day
        try:
            self._table = _opened(path, schema, by_day=by_day)
        except (DeltaError, OSError) as fault:
            raise _broken(path, fault) from fault

    def mark(self) -> int:
        """The position of the last row."""
        return self._fresh().transaction_version(_ROWS) or 0

    def end_of(self, segment: str) -> int:
        return self._fresh().transaction_version(segment) or 0

    def unseen(self, batches: Sequence[Batch[Row]]) -> list[Batch[Row]]:
        return unseen(batches, {batch.segment: self.end_of(batch.segment) for batch in batches})

    def write(self, frame: pl.DataFrame, batches: Iterable[Batch[Row]]) -> int:
        """Append ``frame`` and note its segments' offsets in one commit."""
        ends = {batch.segment: batch.end for batch in batches}
        if not ends:
            return 0
        transactions = [Transaction(segment, end) for segment, end in ends.items()]
        transactions.append(Transaction(_ROWS, self.mark() + frame.height))
        try:
            write_deltalake(
                self._table,
                _with_day(frame) if self.by_day else frame,
                mode="append",
                commit_properties=CommitProperties(app_transactions=transactions, max_commit_retries=0),
                post_commithook_properties=PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False),
            )
        except CommitFailedError as fault:
            raise Conflict(
                f"another process wrote to the journal {self.path} at the same time: {fault}", mend="commit again; nothing is lost"
            ) from fault
        if self._table.version() % TIDY_EVERY == 0:
            self._tidy()
        return frame.height

    def read(self, after: int) -> News:
        table = self._fresh()
        files = pl.DataFrame(table.get_add_actions(flatten=True))
        names = files.filter(pl.col("max.position") > after)["path"].to_list() if files.height else []
        if not names:
            return News(self.schema.to_frame(), after)
        scan = pl.scan_parquet([self.path / name for name in names], hive_partitioning=False)
        frame = scan.filter(pl.col("position") > after).select(list(self.schema)).sort("position").collect()
        return News(frame, frame["position"][-1])

    def remove(self, ids: Collection[str]) -> int:
        """Delete rows by their ids, and at once the files that held them."""
        frame = self.read(0).frame
        places = frame.filter(pl.col("id").is_in(list(ids)))["position"].to_list() if frame.height else []
        for start in range(0, len(places), _AT_ONCE):
            self._table.delete(f"position IN ({', '.join(map(str, places[start : start + _AT_ONCE]))})")
        if places:
            self._table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
        return len(places)

    def _fresh(self) -> DeltaTable:
        if not (self.path / "_delta_log" / f"{self._table.version() + 1:020}.json").exists():
            return self._table  # asking the table itself lists the whole log
        try:
            self._table.update_incremental()
        except DeltaError as fault:
            raise _broken(self.path, fault) from fault
        return self._table

    def _tidy(self) -> None:
        self._table.optimize.compact()
        self._table.create_checkpoint()
        self._table.cleanup_metadata()
        self._table.vacuum(retention_hours=24, dry_run=False, enforce_retention_duration=False)


def _opened(path: Path, schema: pl.Schema, *, by_day: bool) -> DeltaTable:
    if not DeltaTable.is_deltatable(str(path)):
        DeltaTable.create(
            path,
            _with_day(schema.to_frame()).schema if by_day else schema,
            mode="ignore",
            partition_by=["day"] if by_day else None,
            # statistics on the other columns would only make the log larger
            configuration={"delta.dataSkippingStatsColumns": "position,at"},
        )
    return DeltaTable(path)


def _with_day(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(day=pl.col("at").dt.date())


def _broken(path: Path, fault: Exception) -> Broken:
    return Broken(
        f"the journal {path} cannot be read: {fault}",
        mend="restore the folder from a backup; the spool still holds what is not committed",
    )
