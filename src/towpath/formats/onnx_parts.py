"""The parts of a trained scikit-learn object, and which of them are known to have no ONNX form."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import packages_distributions
from typing import Any

import msgspec
import numpy as np
from skl2onnx._supported_operators import sklearn_operator_name_map
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import AdaBoostClassifier, BaseEnsemble, VotingClassifier
from sklearn.ensemble._forest import BaseForest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

_INNER = ("best_estimator_", "estimator_", "final_estimator_", "base_estimator_", "regressor_")
_MANY = ("estimators_", "calibrated_classifiers_")


class Refusal(msgspec.Struct, frozen=True):
    """Why a part has no ONNX form, and the way on where there is a nearer one than those that always are."""

    reason: str
    mend: str = ""


class Part(msgspec.Struct, frozen=True):
    """One estimator within another; ``path`` is the steps' names joined by dots, empty for the whole."""

    path: str
    estimator: Any

    @property
    def title(self) -> str:
        """As a person would name it: ``step 'prepare.clip' (Clipper)``."""
        kind = type(self.estimator).__name__
        return f"step {self.path!r} ({kind})" if self.path else kind


def why_not(estimator: Any) -> Refusal | None:
    """Why the converters at hand do not take this estimator, or would get it wrong without a word; None where they take it."""
    if isinstance(estimator, FunctionTransformer):
        if estimator.func is None:
            return None
        return Refusal(f"a function ({getattr(estimator.func, '__name__', estimator.func)}) cannot be converted")
    if isinstance(estimator, (OneHotEncoder, OrdinalEncoder)) and (estimator.min_frequency or estimator.max_categories):
        return Refusal(
            "its infrequent categories (min_frequency, max_categories) are not part of the converter",
            "let `features` write one word, such as 'other', for what is rare, and drop them",
        )
    if isinstance(estimator, CountVectorizer) and (option := _own_reading(estimator)):
        return Refusal(f"{option} is not part of the converter", "do that to the text in `features`, and leave it out here")
    if isinstance(estimator, SimpleImputer) and estimator.add_indicator:
        return Refusal(
            "the columns of add_indicator, which say what was missing, are not part of the converter",
            "let `features` make them, such as pl.col('weight').is_null(), and drop add_indicator",
        )
    if isinstance(estimator, (FixedThresholdClassifier, TunedThresholdClassifierCV)):
        return Refusal(
            "its threshold is not part of an answer, whose label is the most probable class",
            "return its `estimator_`, and put the threshold where the probability is used",
        )
    if isinstance(estimator, VotingClassifier) and estimator.flatten_transform:
        return Refusal("flatten_transform=True is not part of the converter", "pass flatten_transform=False; no answer changes by it")
    if isinstance(estimator, AdaBoostClassifier) and isinstance(estimator.classes_[0], np.bool_):
        return Refusal("its converter does not take a label of booleans", "make the label an integer in `rows`")
    return None if type(estimator) in sklearn_operator_name_map else Refusal(f"no converter is known for {_origin(type(estimator))}")


def _own_reading(vectorizer: CountVectorizer) -> str:
    """The first option that makes a vectorizer (TfidfVectorizer too) read a text in another way than its converter."""
    options = [name for name in ("preprocessor", "tokenizer", "strip_accents") if getattr(vectorizer, name) is not None]
    return next(iter(options), "analyzer as a function" if callable(vectorizer.analyzer) else "")


def _origin(kind: type) -> str:
    library = kind.__module__.partition(".")[0]
    return f"{kind.__qualname__} of {library}" if library in packages_distributions() else "a class of the project's own"


def parts(model: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every estimator in a trained object that does work, with its path; containers that only pass on are looked into.

    >>> from sklearn.preprocessing import StandardScaler
    >>> [(path, type(part).__name__) for path, part in parts(Pipeline([("scale", StandardScaler())]))]
    [('scale', 'StandardScaler')]
    """
    if model is None or isinstance(model, str):  # "passthrough", "drop"
        return
    if isinstance(model, (Pipeline, FeatureUnion, ColumnTransformer)):
        for name, child in _children(model):
            yield from parts(child, f"{path}.{name}" if path else name)
        return
    yield path, model
    if not isinstance(model, BaseForest):  # forests hold nothing but trees
        for name, child in _within(model):
            yield from parts(child, f"{path}.{name}" if path else name)


def _children(model: Any) -> list[tuple[str, Any]]:
    if isinstance(model, Pipeline):
        return list(model.steps)
    fitted = getattr(model, "transformers_", None) or getattr(model, "transformer_list", None) or model.transformers
    return [(item[0], item[1]) for item in fitted]


def _within(model: Any) -> list[tuple[str, Any]]:
    """What meta-estimators hold: voting, stacking, calibration, search."""
    many: list[tuple[str, Any]] = []
    for name in _MANY:
        held = getattr(model, name, ())
        if isinstance(held, (list, tuple)):
            many += [
                (f"{name.rstrip('_')}[{n}]", child if _is_estimator(child) else getattr(child, "estimator", None))
                for n, child in enumerate(held)
            ]
    ones = [(name.rstrip("_"), getattr(model, name, None)) for name in _INNER]
    if isinstance(model, BaseEnsemble):  # beside its fitted estimators it keeps the one that they were cloned from
        ones = []
    return [(name, child) for name, child in (*ones, *many) if _is_estimator(child)]


def _is_estimator(value: Any) -> bool:
    return hasattr(value, "get_params") and not isinstance(value, type)
