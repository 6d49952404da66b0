"""What a journal is: rows of predictions and rows of labels, appended in batches, read from a position on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

import msgspec
import polars as pl

from towpath.errors import Conflict

Arm = Literal["champion", "challenger"]
Role = Literal["answer", "shadow"]
Outcome = Literal["ok", "error", "timeout", "crash"]


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """One scoring of one row of a request.

    ``arm`` is what was *assigned* and ``outcome`` how the assigned arm did; ``answered_by`` is the version whose answer
    was given, so the two differ when the champion answered for a challenger that failed. A failed arm has no prediction
    of its own: then ``prediction`` and ``score`` are those of the answer.
    """

    id: str  # the prediction id
    at: datetime  # the project's clock, UTC
    environment: str
    version: int  # of the assigned arm (of the challenger in shadow)
    release: int = 0  # 0: none was going on
    stage: int = 0
    share: float = 0.0  # the challenger's propensity when the request was assigned, 0 to 1
    arm: Arm = "champion"
    role: Role = "answer"
    answered_by: int
    outcome: Outcome = "ok"
    detail: str = ""
    latency_s: float  # of the assigned arm's scoring, machine clock
    row: str  # JSON object of the raw columns
    prediction: str  # JSON scalar: the label, or the value
    score: float | None = None  # P(positive) of a binary task; the value of a regression


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a prediction. Of several labels for one id the latest counts."""

    id: str
    at: datetime  # the project's clock when it arrived, UTC
    value: str | int | float | bool | None


Row = TypeVar("Row", Scored, Label)


class Batch(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    """Rows of one segment between two offsets: the application transaction that makes ``append`` idempotent.

    Offsets are of any unit that grows with the rows (bytes of the segment's file); the first batch starts at 0.
    """

    segment: str
    start: int
    end: int
    rows: tuple[Row, ...]


class News(NamedTuple):
    """Rows after a mark, by position, and the mark to read on from."""

    frame: pl.DataFrame
    mark: int


class Journal(Protocol):
    """Every prediction served and every label, in two tables; rows are never changed, and removed only where a person's are erased.

    A row has a ``position``: 1 for the table's first, counting without gaps in the order of appending. Both tables are
    read by any number of processes; one process at a time appends (the committer's lock sees to it).
    """

    def append(self, batches: Sequence[Batch[Scored]]) -> int:
        """Append the predictions of all ``batches`` or of none; how many rows were new.

        A batch whose segment is already appended up to its ``end`` is skipped: telling twice is a success.

        Raises:
            Conflict: a batch neither starts where its segment ends nor is there as a whole; nothing was appended.
        """
        ...

    def label(self, batches: Sequence[Batch[Label]]) -> int:
        """Append labels, with the same promises as ``append``."""
        ...

    def appended(self, segment: str) -> int:
        """Up to which offset a segment of predictions is in the journal; 0 when it is unknown."""
        ...

    def labelled(self, segment: str) -> int:
        """Up to which offset a segment of labels is in the journal; 0 when it is unknown."""
        ...

    def forget(self, ids: Collection[str]) -> int:
        """Remove the predictions with these ids and their labels, also from what lies on the disk; how many predictions.

        The others keep their positions, and a segment its end: what is told again is not there again.
        """
        ...

    def predictions(self, after: int = 0) -> News:
        """Predictions with a position over ``after``, columns as ``PREDICTIONS``; cheap when few are new."""
        ...

    def labels(self, after: int = 0) -> News:
        """Labels with a position over ``after``, columns as ``LABELS``; ``value`` is JSON text."""
        ...


_TIME = pl.Datetime("us", "UTC")

PREDICTIONS = pl.Schema(
    {
        "position": pl.Int64(),
        "id": pl.String(),
        "at": _TIME,
        "environment": pl.String(),
        "version": pl.Int64(),
        "release": pl.Int64(),
        "stage": pl.Int64(),
        "share": pl.Float64(),
        "arm": pl.String(),
        "role": pl.String(),
        "answered_by": pl.Int64(),
        "outcome": pl.String(),
        "detail": pl.String(),
        "latency_s": pl.Float64(),
        "row": pl.String(),
        "prediction": pl.String(),
        "score": pl.Float64(),
    }
)
LABELS = pl.Schema({"position": pl.Int64(), "id": pl.String(), "at": _TIME, "value": pl.String()})

_json = msgspec.json.Encoder()


def frame_of_predictions(rows: Sequence[Scored], mark: int) -> pl.DataFrame:
    """Rows as a table of ``PREDICTIONS``; the first has position ``mark + 1``."""
    columns = {name: [getattr(row, name) for row in rows] for name in PREDICTIONS if name != "position"}
    return pl.DataFrame({"position": range(mark + 1, mark + 1 + len(rows)), **columns}, schema=PREDICTIONS)


def frame_of_labels(rows: Sequence[Label], mark: int) -> pl.DataFrame:
    """Rows as a table of ``LABELS``; the first has position ``mark + 1``."""
    columns = {
        "id": [row.id for row in rows],
        "at": [row.at for row in rows],
        "value": [_json.encode(row.value).decode() for row in rows],
    }
    return pl.DataFrame({"position": range(mark + 1, mark + 1 + len(rows)), **columns}, schema=LABELS)


def unseen(batches: Sequence[Batch[Row]], ends: dict[str, int]) -> list[Batch[Row]]:
    """The batches that are new, given up to where each segment is appended; raises Conflict as ``Journal.append``."""
    new: list[Batch[Row]] = []
    for batch in batches:
        end = ends.get(batch.segment, 0)
        if batch.end <= end:
            continue
        if batch.start != end:
            raise Conflict(
                f"segment {batch.segment} is in the journal up to {end}, and the batch to append spans {batch.start} to {batch.end}",
                mend="another committer was first: read the segment's offset again and go on from there",
            )
        new.append(batch)
    return new
