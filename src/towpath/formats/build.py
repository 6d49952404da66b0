"""From a trained object to its package: features, schema, ONNX form, golden rows; and both ways to its answers, for parity."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Literal

import msgspec
import polars as pl

from towpath.digest import Digest
from towpath.errors import UsageError
from towpath.formats import pickles
from towpath.formats.frames import Kind, canonical, columns_of, frame_of, requested, schema_of
from towpath.formats.golden import check_golden, golden_of
from towpath.formats.manifest import CODE, GOLDEN, MODEL, TRAINED, FeaturesFunction, Manifest
from towpath.formats.onnx_export import answers_otherwise, check_convertible, to_onnx
from towpath.formats.package import Features, features_of, pack
from towpath.formats.port import Scores
from towpath.formats.schema import Schema
from towpath.formats.scorer import OnnxScorer
from towpath.formats.trained import TrainedScorer, classes_of, inputs_of
from towpath.store import Store
from towpath.verdict import Answer

_TELLING = ("scikit-learn", "skl2onnx", "onnxmltools", "onnx", "onnxruntime", "numpy", "polars")
_IF_NEEDED = ("lightgbm", "xgboost", "pandas", "pyarrow")


@dataclass(frozen=True, kw_only=True)
class FeaturesCode:
    """The user's `features` function with the sources that it needs, by path relative to the folder on the import path."""

    module: str
    function: str
    files: Mapping[str, bytes]

    def load(self) -> Features:
        """The function itself, as a server will load it."""
        return features_of(self.files, self.module, self.function, unique="building")


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What came out of training. ``kind`` is the frame that the `model` function took; ``wrong_over`` as in `Manifest`."""

    model: Any
    task: Literal["binary", "multiclass", "regression"]
    label: str
    kind: Kind = "polars"
    features: FeaturesCode | None = None
    wrong_over: float | None = None
    made_with: Mapping[str, str] = field(default_factory=dict)  # beside the distributions that are always named

    @property
    def answers(self) -> Any:
        """The estimator that answers: of a search over hyperparameters, its best."""
        return getattr(self.model, "best_estimator_", self.model)


def build(store: Store, trained: Trained, rows: pl.DataFrame) -> Digest:
    """Make the package and put it into the store; the digest of its manifest.

    Args:
        store: where it goes.
        trained: the object, trained on ``canonical(features(requested(rows)))``.
        rows: the raw training rows, without the label: of them come schema and golden rows.

    Raises:
        NotConvertible: names the part that has no portable form; or the portable form does not give the golden rows' answers.
        BadColumn: a column cannot travel in a request or go into a model.
        UsageError: the object is not fitted, or not for this task.
    """
    raw = requested(rows.drop(trained.label, strict=False))
    features = _features(trained)
    inputs = _inputs(trained, features(raw))
    golden = golden_of(raw, _answerer(trained, features, inputs))
    model, schema = to_onnx(trained.answers, inputs), schema_of(raw)
    scorer = OnnxScorer(model, inputs.names, classes_of(trained.answers))
    said = check_golden(lambda columns: scorer.score(columns_of(features(frame_of(schema, columns)), inputs)).values, golden)
    if said.answer is not Answer.PASS:
        raise answers_otherwise(trained.answers, said)
    files = {MODEL: model, TRAINED: pickles.dumps(trained.model), GOLDEN: msgspec.json.encode(golden)}
    if trained.features:
        files |= {CODE + name: source for name, source in trained.features.files.items()}
    return pack(store, _manifest(trained, schema, inputs, _versions(trained, files[TRAINED])), files)


def trained_answerer(trained: Trained, rows: pl.DataFrame) -> Callable[[pl.DataFrame], Scores]:
    """From raw rows to the trained object's own answers: the other side of parity. ``rows`` are some raw rows, for their types."""
    features = _features(trained)
    raw = requested(rows.drop(trained.label, strict=False))
    inputs = _inputs(trained, features(raw))
    return _answerer(trained, features, inputs)


def training_rows(rows: pl.DataFrame, label: str, features: FeaturesCode | None = None) -> pl.DataFrame:
    """What the `model` function is given: the rows as the server will see them, and the label as it is, last."""
    made = (features.load() if features else _unchanged)(requested(rows.drop(label)))
    return canonical(made).with_columns(rows[label])


def _features(trained: Trained) -> Features:
    return trained.features.load() if trained.features else _unchanged


def _inputs(trained: Trained, rows: pl.DataFrame) -> Schema:
    check_convertible(trained.answers)  # before it is asked: what cannot be converted may not even take these rows
    _check_task(trained)
    return inputs_of(trained.answers, schema_of(canonical(rows)))


def _check_task(trained: Trained) -> None:
    kind, classes = type(trained.answers).__name__, classes_of(trained.answers)
    if trained.task == "regression" and classes:
        raise UsageError(
            f"the task is regression, and the trained {kind} is a classifier",
            mend="declare `task: binary` or `task: multiclass`, or return a regressor",
        )
    if trained.task != "regression" and not classes:
        raise UsageError(
            f"the task is {trained.task}, and the trained {kind} is no classifier",
            mend="return a classifier, or declare `task: regression`",
        )
    if trained.task == "binary" and len(classes) != 2:
        shown = ", ".join(map(repr, classes[:5])) + (", ..." if len(classes) > 5 else "")
        raise UsageError(
            f"the task is binary, and the label {trained.label!r} has the values {shown}",
            mend="declare `task: multiclass`, or let `rows` make two of them",
        )


def _unchanged(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


def _answerer(trained: Trained, features: Features, inputs: Schema) -> Callable[[pl.DataFrame], Scores]:
    scorer = TrainedScorer(trained.answers, inputs, trained.kind)
    return lambda rows: scorer.score(columns_of(features(requested(rows)), inputs))


def _manifest(trained: Trained, raw: Schema, inputs: Schema, versions: Mapping[str, str]) -> Manifest:
    code = trained.features
    return Manifest(
        task=trained.task,
        label=trained.label,
        classes=classes_of(trained.answers),
        raw=raw,
        inputs=inputs,
        features=FeaturesFunction(module=code.module, function=code.function) if code else None,
        wrong_over=trained.wrong_over,
        made_with={"python": platform.python_version(), **versions, **trained.made_with},
    )


def _versions(trained: Trained, pickled: bytes) -> dict[str, str]:
    """Of what always takes part, and of what this object needs: not of what else the process has loaded."""
    needed = [name for name in _IF_NEEDED if name in sys.modules and (name.encode() in pickled or name == trained.kind)]
    versions = {name: metadata.version(name) for name in _TELLING}
    return versions | {name: str(getattr(sys.modules[name], "__version__", "unknown")) for name in needed}
