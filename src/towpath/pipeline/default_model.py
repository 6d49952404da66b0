"""What is trained when a project names no function: gradient boosting on scaled numbers and one-hot categories."""

from __future__ import annotations

from typing import Any

import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

LARGE = 20_000  # rows from which each tree sees a sample


def default_model(train: pl.DataFrame, label: str, task: str, seed: int) -> Any:
    """A fitted scikit-learn pipeline that converts to ONNX.

    Text becomes one-hot (categories with under 20 rows together), numbers are filled with their median.
    """
    rows = train.drop(label)
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    numbers = [name for name in rows.columns if name not in texts]
    parts = [("numbers", SimpleImputer(strategy="median"), numbers)] if numbers else []
    if texts:
        parts.append(("texts", OneHotEncoder(handle_unknown="ignore", min_frequency=20, sparse_output=False), texts))
    kind = GradientBoostingRegressor if task == "regression" else GradientBoostingClassifier
    boosting = kind(random_state=seed % 2**31, subsample=min(1.0, LARGE / max(train.height, 1)))
    model = make_pipeline(ColumnTransformer(parts), boosting)
    return model.fit(rows, train[label].to_numpy())
