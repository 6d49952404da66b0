"""Adapter (scikit-learn): what is trained when a project names no function. Linear while there are few rows, boosted trees from then on.

Measured on scikit-learn's own sets (150 to 1,797 rows) the linear model was the better one each time; on 100,000 flights the trees.
"""

from __future__ import annotations

from typing import Any, Literal

import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

FEW = 2_000  # rows under which the linear model is taken

Parts = list[tuple[str, Any, list[str]]]


def default_model(train: pl.DataFrame, label: str, task: Literal["binary", "multiclass", "regression"], seed: int) -> Pipeline:
    """A fitted scikit-learn pipeline that converts to ONNX: missing values, text and categories never seen are taken care of.

    Args:
        train: the rows in the form in which a model sees them (text, and numbers with NaN for null), and the label.
        seed: any integer; it decides which rows the trees stop by, once there are more than 10,000.
    """
    rows = train.drop(label)
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    numbers = [name for name in rows.columns if name not in texts and rows[name].is_not_nan().any()]  # without a value nothing is learned
    parts, model = (_linear if train.height < FEW else _trees)(texts, numbers, task, seed % 2**31)
    there = [part for part in parts if part[2]]
    return make_pipeline(ColumnTransformer(there), model).fit(rows, train[label].to_numpy())


def _linear(texts: list[str], numbers: list[str], task: str, seed: int) -> tuple[Parts, Any]:
    scaled = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    parts: Parts = [("numbers", scaled, numbers), ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts)]
    return parts, Ridge() if task == "regression" else LogisticRegression(max_iter=1000, random_state=seed)


def _trees(texts: list[str], numbers: list[str], task: str, seed: int) -> tuple[Parts, Any]:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    parts: Parts = [("numbers", "passthrough", numbers), ("texts", encoder, texts)]
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    return parts, kind(max_iter=200, learning_rate=0.1, max_leaf_nodes=8, min_samples_leaf=50, random_state=seed)
