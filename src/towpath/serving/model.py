"""A version as it is scored: raw columns in, an answer out, by the same `features` function as in training."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import polars as pl

from towpath.digest import Digest
from towpath.errors import Refused
from towpath.formats import Schema, Scores
from towpath.formats.frames import columns_of, frame_of
from towpath.formats.golden import check_golden
from towpath.formats.package import Package, unpack
from towpath.formats.schema import ColumnType
from towpath.serving.answers import Answer, Told
from towpath.store import Store
from towpath.verdict import Answer as Said

_DTYPES: dict[ColumnType, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
}
FEW_ROWS = 50  # up to this, a frame is cheaper made and read row by row: 17 µs for one row of 14 columns, by columns it is 110
WARM_UP = 20  # scorings before the first request: the first ones allocate


class Model:
    """One loaded package."""

    def __init__(self, package: Package) -> None:
        self.schema, self.classes = package.manifest.raw, package.manifest.classes
        self._scorer = package.scorer()
        self._features = package.features() if package.manifest.features else None
        self._inputs = package.manifest.inputs

    def score(self, columns: Mapping[str, list[Any]]) -> Told:
        """Score checked raw columns. Never raises: what goes wrong is an outcome."""
        begun = perf_counter()
        try:
            answer = self._answer(columns)
        except Exception as fault:  # the border to the user's `features` code, which may raise anything
            return Told("error", f"{type(fault).__name__}: {fault}"[:500], perf_counter() - begun)
        return Told("ok", "", perf_counter() - begun, answer)

    def scores(self, columns: Mapping[str, list[Any]]) -> Scores:
        """Score checked raw columns, in the scorer's own form."""
        if self._features is None:
            return self._scorer.score(columns)  # the model takes the raw columns themselves: no frame in between
        if len(next(iter(columns.values()))) > FEW_ROWS:
            return self._scorer.score(columns_of(self._features(frame_of(self.schema, columns)), self._inputs))
        return self._scorer.score(plain_columns(self._features(small_frame(self.schema, columns))))

    def _answer(self, columns: Mapping[str, list[Any]]) -> Answer:
        scores = self.scores(columns)
        return Answer(scores.labels, scores.values.tolist() if scores.classes else None)


def small_frame(schema: Schema, columns: Mapping[str, list[Any]]) -> pl.DataFrame:
    """The same frame as ``formats.frames.frame_of``, of checked columns."""
    times = {column.name for column in schema.columns if column.type == "time"}
    ready = {name: list(map(_instant, values)) if name in times else values for name, values in columns.items()}
    dtypes = {column.name: _DTYPES[column.type] for column in schema.columns}
    return pl.from_dicts([dict(zip(ready, row, strict=True)) for row in zip(*ready.values(), strict=True)], schema=dtypes)


def plain_columns(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """A frame's columns as a scorer takes them, to the same answers as ``formats.frames.columns_of``."""
    if frame.height == 1:
        return {name: [value] for name, value in zip(frame.columns, frame.row(0), strict=True)}
    return frame.to_dict(as_series=False)


def _instant(value: str | None) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def loaded(store: Store, digest: Digest) -> Model:
    """Load a package, check that it answers its golden rows, and warm it.

    Raises:
        Refused: its golden rows are not answered as they were in training.
        UnknownName, Broken: the package, or a part of it, is not in the store or is corrupt.
        UsageError: the code of its `features` function cannot be loaded here.
    """
    package = unpack(store, digest)
    model, golden = Model(package), package.golden()
    verdict = check_golden(lambda columns: model.scores(columns).values, golden)
    if verdict.answer is not Said.PASS:
        raise Refused(
            f"package {digest[:12]} does not answer its golden rows: {verdict.because}",
            mend="`towpath doctor` compares the distributions here with those it was made with",
        )
    for _ in range(WARM_UP):
        model.score({name: values[:1] for name, values in golden.columns.items()})
    return model


def objects(store: Store, digest: Digest) -> list[bytes]:
    """All bytes of a package: its manifest's and its files'."""
    return [store.get(digest), *unpack(store, digest).files.values()]
