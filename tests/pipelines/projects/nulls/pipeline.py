"""Numbers and texts that are missing, filled inside the pipeline, and a column that says where."""

import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder


def rows(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("carrier", "weight", "items", "late")


def features(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(unweighed=pl.col("weight").is_null())


def model(train: pl.DataFrame) -> Pipeline:
    filled = SimpleImputer(missing_values="", strategy="constant", fill_value="nobody")  # a missing text is "" in training and serving
    prepared = ColumnTransformer(
        [
            ("texts", make_pipeline(filled, OneHotEncoder(handle_unknown="ignore")), ["carrier"]),
            ("numbers", SimpleImputer(strategy="median"), ["weight"]),
            ("rest", "passthrough", ["items", "unweighed"]),
        ]
    )
    return make_pipeline(prepared, HistGradientBoostingClassifier(max_iter=20, random_state=0)).fit(train.drop("late"), train["late"])
