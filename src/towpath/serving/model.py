"""A version as it is scored: raw columns in, an answer out, by the same `features` function as in training."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from towpath.digest import Digest
from towpath.errors import Refused
from towpath.formats import Scores
from towpath.formats.frames import columns_of, frame_of
from towpath.formats.golden import check_golden
from towpath.formats.package import Package, unpack
from towpath.serving.answers import Answer, Told
from towpath.store import Store
from towpath.verdict import Answer as Said

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
        return self._scorer.score(columns_of(self._features(frame_of(self.schema, columns)), self._inputs))

    def _answer(self, columns: Mapping[str, list[Any]]) -> Answer:
        scores = self.scores(columns)
        return Answer(scores.labels, scores.values.tolist() if scores.classes else None)


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
