"""A journal in this process's memory: for tests and notebooks."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from towpath.journal.port import (
    LABELS,
    PREDICTIONS,
    Batch,
    Label,
    News,
    Scored,
    frame_of_labels,
    frame_of_predictions,
    unseen,
)


class MemoryJournal:
    """Keeps both tables as frames."""

    def __init__(self) -> None:
        self._predictions = PREDICTIONS.to_frame()
        self._labels = LABELS.to_frame()
        self._marks = [0, 0]
        self._appended: dict[str, int] = {}
        self._labelled: dict[str, int] = {}

    def append(self, batches: Sequence[Batch[Scored]]) -> int:
        new = unseen(batches, self._appended)
        rows = [row for batch in new for row in batch.rows]
        self._predictions = pl.concat([self._predictions, frame_of_predictions(rows, self._marks[0])])
        self._marks[0] += len(rows)
        self._appended |= {batch.segment: batch.end for batch in new}
        return len(rows)

    def label(self, batches: Sequence[Batch[Label]]) -> int:
        new = unseen(batches, self._labelled)
        rows = [row for batch in new for row in batch.rows]
        self._labels = pl.concat([self._labels, frame_of_labels(rows, self._marks[1])])
        self._marks[1] += len(rows)
        self._labelled |= {batch.segment: batch.end for batch in new}
        return len(rows)

    def appended(self, segment: str) -> int:
        return self._appended.get(segment, 0)

    def labelled(self, segment: str) -> int:
        return self._labelled.get(segment, 0)

    def forget(self, ids: Collection[str]) -> int:
        before = self._predictions.height
        self._predictions, self._labels = (table.filter(~pl.col("id").is_in(list(ids))) for table in (self._predictions, self._labels))
        return before - self._predictions.height

    def predictions(self, after: int = 0) -> News:
        return News(self._predictions.filter(pl.col("position") > after), self._marks[0])

    def labels(self, after: int = 0) -> News:
        return News(self._labels.filter(pl.col("position") > after), self._marks[1])
