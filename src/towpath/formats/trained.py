"""Adapter: the trained object itself, asked in the form in which it was trained. What parity and the golden rows compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from sklearn.base import is_classifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.pipeline import Pipeline

from towpath.errors import UsageError
from towpath.formats.errors import BadColumn
from towpath.formats.frames import Kind, as_kind, canonical
from towpath.formats.native_categories import categories_of
from towpath.formats.port import Label, Scores, Values
from towpath.formats.schema import Schema


def inputs_of(model: Any, features: Schema) -> Schema:
    """The columns that a trained object takes, in its order: those it remembers by name, or else all of ``features``.

    Raises:
        BadColumn: it was trained on a column that the features do not have.
        UsageError: it remembers no names and takes another number of columns.
    """
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        _check_there(model, [str(name) for name in names], features)
        return features.select(str(name) for name in names)
    wanted = 1 if _takes_texts(model) else getattr(model, "n_features_in_", len(features.columns))
    if wanted != len(features.columns):
        raise UsageError(
            f"the trained {type(model).__name__} takes {wanted} columns without names, "
            f"the features have {len(features.columns)}: {', '.join(features.names)}",
            mend="train it on a frame with column names (a DataFrame, not an array), or let `features` give just the columns that it takes",
        )
    return features


def _check_there(model: Any, names: Sequence[str], features: Schema) -> None:
    for name in names:
        if name not in features.names:
            raise BadColumn(
                name,
                f"the trained {type(model).__name__} takes it, and the rows given to `train` did not have it",
                mend="make it in `features`, or by an encoder in a Pipeline: what the `train` function does to its rows by itself, "
                "such as get_dummies, is not done to a request",
            )


class TrainedScorer:
    """A trained scikit-learn object as a `Scorer`. ``kind`` is the frame that its `model` function took."""

    def __init__(self, model: Any, inputs: Schema, kind: Kind = "polars") -> None:
        self._model, self._inputs, self._kind = model, inputs, kind
        self._classes: tuple[Label, ...] = classes_of(model)

    def score(self, columns: Mapping[str, Values]) -> Scores:
        """Answers for rows given as columns; see `port.Scorer`."""
        frame = canonical(pl.DataFrame({name: columns[name] for name in self._inputs.names}))
        rows = self._as_trained(frame)
        try:
            values = self._model.predict_proba(rows) if self._classes else self._model.predict(rows)
        except Exception as fault:  # a border: a trained object of any library, which may raise anything
            raise UsageError(
                f"the trained {type(self._model).__name__} does not answer rows like those given to `train`: "
                f"{type(fault).__name__}: {_first_line(fault)}",
                mend="train it on those rows as they come, and do what they still need in `features` or in a step of a Pipeline",
            ) from fault
        return Scores(np.asarray(values, dtype=np.float64).reshape(frame.height, -1), self._classes)

    def _as_trained(self, frame: pl.DataFrame) -> Any:
        if _takes_texts(self._model):
            return frame.to_series().to_list()
        if categories_of(self._model):
            texts = [column.name for column in self._inputs.columns if column.type == "string"]
            return frame.to_pandas().astype(dict.fromkeys(texts, "category"))
        if getattr(self._model, "feature_names_in_", None) is None:
            return frame.to_numpy()
        return as_kind(frame, "pandas" if self._kind == "pandas" else "polars")  # scikit-learn takes no Arrow table


def classes_of(model: Any) -> tuple[Label, ...]:
    """The classes of a classifier in the order of its probabilities, as plain Python values; none of a regressor."""
    return tuple(np.asarray(model.classes_).tolist()) if is_classifier(model) else ()


def _takes_texts(model: Any) -> bool:
    first = model.steps[0][1] if isinstance(model, Pipeline) else model
    return isinstance(first, (CountVectorizer, HashingVectorizer))


def _first_line(fault: Exception) -> str:
    return next((line.strip()[:300] for line in str(fault).splitlines() if line.strip()), "no message")
