"""Adapter (scikit-learn, LightGBM, XGBoost): the portfolio's models, with what their columns need before them.

Each converts to ONNX; of clusters the answer is the number of the row's own.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import polars as pl
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from towpath.search.trials import Parameters

MOST_WORDS = 200  # different values of a text that get a column each; one with more is an id or a remark, and left to the trees

Make = Callable[[Parameters, str, int, int], Any]


def estimator(name: str, rows: pl.DataFrame, parameters: Parameters, task: str, seed: int, threads: int = 1) -> Pipeline:
    """The contender of that name, not fitted yet, for rows like these.

    Args:
        rows: in the form in which a model sees them (text, and numbers with NaN for null), without the label.
        seed: from 0 to 2**31 - 1.
        threads: of those models that can use several; the answers do not depend on it.
    """
    texts = [column for column, dtype in rows.schema.items() if dtype == pl.String]
    numbers = [column for column in rows.columns if column not in texts and rows[column].is_not_nan().any()]  # others teach nothing
    parts = _as_ranks(texts, numbers) if name in _RANKED else _as_columns(rows, texts, numbers)
    model = _MAKERS[name](parameters, task, seed, threads)
    return make_pipeline(ColumnTransformer([part for part in parts if part[2]]), model)


def _as_columns(rows: pl.DataFrame, texts: list[str], numbers: list[str]) -> list[tuple[str, Any, list[str]]]:
    """What a model that adds up needs: numbers without gaps on one scale, a column for each word."""
    scaled = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    few = [column for column in texts if rows[column].n_unique() <= MOST_WORDS]
    return [("numbers", scaled, numbers), ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), few)]


def _as_ranks(texts: list[str], numbers: list[str]) -> list[tuple[str, Any, list[str]]]:
    """What trees need: numbers as they are, with their gaps, and texts by their place in the alphabet."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return [("numbers", "passthrough", numbers), ("texts", encoder, texts)]


def _logistic(told: Parameters, task: str, seed: int, threads: int) -> Any:
    return LogisticRegression(C=told["strength"], max_iter=2000, random_state=seed)


def _ridge(told: Parameters, task: str, seed: int, threads: int) -> Any:
    return Ridge(alpha=told["strength"])


def _boosting(told: Parameters, task: str, seed: int, threads: int) -> Any:
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    return kind(
        max_iter=told["trees"],
        learning_rate=told["rate"],
        max_leaf_nodes=told["leaves"],
        min_samples_leaf=told["rows_in_leaf"],
        early_stopping=False,
        random_state=seed,
    )


def _lightgbm(told: Parameters, task: str, seed: int, threads: int) -> Any:
    library = import_module("lightgbm")  # by name, because it may not be installed
    kind = library.LGBMRegressor if task == "regression" else library.LGBMClassifier
    return kind(
        n_estimators=told["trees"],
        learning_rate=told["rate"],
        num_leaves=told["leaves"],
        min_child_samples=told["rows_in_leaf"],
        random_state=seed,
        n_jobs=threads,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )


def _xgboost(told: Parameters, task: str, seed: int, threads: int) -> Any:
    library = import_module("xgboost")
    kind = library.XGBRegressor if task == "regression" else library.XGBClassifier
    return kind(
        n_estimators=told["trees"],
        learning_rate=told["rate"],
        max_leaves=told["leaves"],
        grow_policy="lossguide",
        max_depth=0,
        min_child_weight=told["weight_in_leaf"],
        tree_method="hist",
        random_state=seed,
        n_jobs=threads,
    )


def _forest(told: Parameters, task: str, seed: int, threads: int) -> Any:
    kind = RandomForestRegressor if task == "regression" else RandomForestClassifier
    return kind(
        n_estimators=told["trees"],
        min_samples_leaf=told["rows_in_leaf"],
        max_features=told["columns"],
        random_state=seed,
        n_jobs=threads,
    )


def _kmeans(told: Parameters, task: str, seed: int, threads: int) -> Any:
    return KMeans(told["clusters"], n_init=5, random_state=seed)


def _batches(told: Parameters, task: str, seed: int, threads: int) -> Any:
    return MiniBatchKMeans(told["clusters"], n_init=5, batch_size=told["rows_at_once"], random_state=seed)


def _mixture(told: Parameters, task: str, seed: int, threads: int) -> Any:
    return GaussianMixture(told["clusters"], covariance_type=told["shape"], reg_covar=1e-3, random_state=seed)


_RANKED = ("boosting", "lightgbm", "xgboost", "forest")
_MAKERS: dict[str, Make] = {
    "logistic": _logistic,
    "ridge": _ridge,
    "boosting": _boosting,
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "forest": _forest,
    "kmeans": _kmeans,
    "batches": _batches,
    "mixture": _mixture,
}
