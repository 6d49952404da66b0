"""The latest rows of the journal, held in memory, so that a turn reads only what is new."""

from __future__ import annotations

import polars as pl

from towpath.journal import Journal, News

KEPT = 500_000  # rows a table; the journal itself forgets nothing


class Recent:
    """A window on the journal. After a restart the first ``refresh`` reads it again, and the sums come out the same."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._marks = (0, 0)
        self.predictions = journal.predictions(after=2**62).frame
        self.labels = journal.labels(after=2**62).frame

    def refresh(self) -> int:
        """Read what is new; how many predictions there were."""
        predictions, labels = self._journal.predictions(self._marks[0]), self._journal.labels(self._marks[1])
        self.predictions = _grown(self.predictions, predictions)
        self.labels = _grown(self.labels, labels)
        self._marks = (predictions.mark, labels.mark)
        return predictions.frame.height


def _grown(frame: pl.DataFrame, news: News) -> pl.DataFrame:
    if not news.frame.height:
        return frame
    grown = pl.concat([frame, news.frame])
    return (grown.rechunk() if grown.n_chunks() > 32 else grown).tail(KEPT)
