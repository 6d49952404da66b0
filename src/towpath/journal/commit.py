"""The one committer: moves what the workers wrote to their spools into the journal."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic

import msgspec

from towpath.errors import Broken
from towpath.journal.port import Batch, Journal, Label, Row, Scored
from towpath.journal.spool import SUFFIX, segment

PREDICTIONS, LABELS = "predictions", "labels"  # folders of a spool
BATCH_BYTES = 32 << 20  # of one segment in one call, so that memory stays bounded


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """What one call moved. ``torn`` names files that hold the half-written last line of a segment (after a loss of power)."""

    predictions: int = 0
    labels: int = 0
    removed: int = 0
    torn: tuple[str, ...] = ()


class _Read(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    path: Path
    batch: Batch[Row]
    size: int  # of the file when it was read
    dead: bool


def commit(spool: Path, journal: Journal) -> Committed:
    """Move every complete line of all segments, also of those still open, into the journal, in one commit a table.

    Segments of writers that are gone are removed once all their lines are in. A crash at any instant neither loses nor
    doubles a row: the journal keeps, in the same commit as the rows, up to where each segment is in it. Another
    committer at the same time waits until this one is done.

    Args:
        spool: the folder that holds the spools ``predictions`` and ``labels``.
    """
    with _only_one(spool):
        predictions = [_read(path, journal.appended, Scored) for path in segments(spool / PREDICTIONS)]
        labels = [_read(path, journal.labelled, Label) for path in segments(spool / LABELS)]
        moved = journal.append([r.batch for r in predictions if r.batch.rows])
        labelled = journal.label([r.batch for r in labels if r.batch.rows])
        cleared = [*map(_clear, filter(_is_over, predictions)), *map(_clear, filter(_is_over, labels))]
    torn = tuple(name for name in cleared if name)
    return Committed(predictions=moved, labels=labelled, removed=len(cleared), torn=torn)


def forget(spool: Path, journal: Journal, is_theirs: Callable[[str], bool]) -> int:
    """Remove every prediction whose row (JSON) ``is_theirs``, with its label, once all of the spool is in; how many.

    Lines of a segment that its writer still holds open stay in its file until that ends.
    """
    commit(spool, journal)
    with _only_one(spool):
        found = journal.predictions().frame.select("id", "row")
        return journal.forget([id for id, row in found.iter_rows() if is_theirs(row)])


def segments(folder: Path) -> list[Path]:
    """All segments in a spool's folder, each writer's in order."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def _read(path: Path, known: Callable[[str], int], kind: type[Row]) -> _Read[Row]:
    start = known(path.stem)
    with segment(path) as (file, dead):  # the lock is asked for before reading: what a dead writer left is read whole
        size = os.fstat(file).st_size
        data = os.pread(file, min(size - start, BATCH_BYTES), start)
    end = data.rfind(b"\n") + 1
    rows = _decoded(path, start, data[:end], kind)
    return _Read(path=path, batch=Batch(segment=path.stem, start=start, end=start + end, rows=rows), size=size, dead=dead)


def _decoded(path: Path, start: int, data: bytes, kind: type[Row]) -> tuple[Row, ...]:
    try:
        return tuple(msgspec.json.Decoder(kind).decode_lines(data))
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Broken(
            f"the spool's segment {path} holds a line after byte {start} that is no row: {fault}",
            mend="look at the line, move it to another file, and commit again",
        ) from fault


def _is_over(read: _Read[Row]) -> bool:
    return read.dead and read.size - read.batch.start <= BATCH_BYTES


def _clear(read: _Read[Row]) -> str:
    """Remove a segment that is in the journal; its torn last line, if it has one, stays in a file whose name is returned."""
    if read.batch.end == read.size:
        read.path.unlink()
        return ""
    torn = read.path.with_suffix(".torn")
    torn.write_bytes(read.path.read_bytes()[read.batch.end :])
    read.path.unlink()
    return str(torn)


@contextmanager
def _only_one(spool: Path) -> Iterator[None]:
    spool.mkdir(parents=True, exist_ok=True)
    with (spool / "commit.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
