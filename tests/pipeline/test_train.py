"""Training: the user's function, its hyperparameters, its seeds; and what is trained where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.dummy import DummyClassifier

from towpath.errors import UnknownName, UsageError
from towpath.formats.frames import canonical, columns_of, schema_of
from towpath.formats.onnx_export import to_onnx
from towpath.formats.parity import parity
from towpath.formats.scorer import OnnxScorer
from towpath.formats.trained import TrainedScorer, classes_of, inputs_of
from towpath.pipeline.default_model import FEW, default_model
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.train import fit, parameters_of

TRAIN = pl.DataFrame({"x": [0.0, 1.0], "late": [0, 1]})


def model(train: pl.DataFrame, *, trees: int = 200, rate: float = 0.1) -> Any:
    return DummyClassifier().fit(train.drop("late").to_numpy(), train["late"].to_numpy())


def test_declared_hyperparameters_go_over_the_defaults() -> None:
    assert parameters_of(model, {"trees": 50}) == {"trees": 50, "rate": 0.1}


def test_a_hyperparameter_that_is_not_taken_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="'tree'") as caught:
        parameters_of(model, {"tree": 50})
    assert "trees" in caught.value.mend


def test_training_rows_arrive_as_train() -> None:
    def other(rows: Any) -> Any: ...
    def more(train: Any, others: Any) -> Any: ...

    with pytest.raises(UsageError, match="takes rows, and no 'train'"):
        parameters_of(other, {})
    with pytest.raises(UsageError, match="takes 'others', which has no value"):
        parameters_of(more, {})


def test_a_hyperparameter_without_default_is_given_by_the_project() -> None:
    def bare(train: Any, *, trees: int) -> Any: ...

    assert parameters_of(bare, {"trees": 1}) == {"trees": 1}
    with pytest.raises(UsageError, match="'trees', which has no value"):
        parameters_of(bare, {})


def test_a_function_that_sets_no_seed_repeats(tmp_path: Path) -> None:
    class Drawn:
        def __init__(self) -> None:
            self.value = np.random.rand()

        def predict(self) -> None: ...

    def draw(train: Any) -> Drawn:
        return Drawn()

    one, same, other = (fit(draw, {"train": TRAIN}, {}, seed=seed, root=tmp_path).value for seed in (1, 1, 2))
    assert one == same != other


def test_what_does_not_predict_or_raises_is_said(tmp_path: Path) -> None:
    def nothing(train: Any) -> None: ...
    def broken(train: Any) -> None:
        raise KeyError("late")

    with pytest.raises(UsageError, match="NoneType, which has no `predict`"):
        fit(nothing, {"train": TRAIN}, {}, seed=0, root=tmp_path)
    with pytest.raises(StepFailed, match="step 'broken' raised KeyError"):
        fit(broken, {"train": TRAIN}, {}, seed=0, root=tmp_path)


def example(rows: int, task: str) -> pl.DataFrame:
    """Numbers with nulls, one of them always null, text with nulls; the label follows from both."""
    draw = np.random.default_rng(0)
    x, kind = draw.normal(size=rows), draw.choice(["a", "b", "c"], rows)
    signal = x + (kind == "b") + 0.3 * draw.normal(size=rows)
    label: Any = {
        "binary": (signal > 0.3).astype(int),
        "multiclass": np.where(signal < 0, "low", np.where(signal < 1, "middle", "high")),
        "regression": signal,
    }[task]
    holes = draw.random(rows) < 0.05
    return pl.DataFrame({"x": x, "kind": kind, "label": label}).with_columns(
        pl.when(~pl.Series(holes)).then("x").alias("x"),
        pl.when(~pl.Series(holes)).then("kind").alias("kind"),
        void=pl.lit(None, dtype=pl.Float64),
    )


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("rows", [400, FEW + 1000])
def test_the_default_model_is_sound_and_converts(task: Any, rows: int) -> None:
    frame = canonical(example(rows + 500, task), label="label")
    train, test = frame[:rows], frame[rows:].drop("label")
    trained = default_model(train, "label", task, seed=2**32 - 1)
    inputs = inputs_of(trained, schema_of(train.drop("label")))
    scorer = OnnxScorer(to_onnx(trained, inputs), inputs.names, classes_of(trained))
    ours = TrainedScorer(trained, inputs)
    found = parity(
        lambda raw: ours.score(columns_of(canonical(raw), inputs)), lambda raw: scorer.score(columns_of(canonical(raw), inputs)), test
    )
    assert found.max_difference < 1e-5
    assert trained.score(test, frame[rows:]["label"].to_numpy()) > {"binary": 0.85, "multiclass": 0.75, "regression": 0.8}[task]


def test_the_default_model_repeats() -> None:
    frame = canonical(example(FEW + 500, "binary"), label="label")
    one, other = (default_model(frame, "label", "binary", seed=3).predict_proba(frame.drop("label")) for _ in range(2))
    assert np.array_equal(one, other)
