"""Three outcomes by name."""

import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def rows(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("carrier", "weight", "items", "express", "outcome")


def model(train: pl.DataFrame) -> Pipeline:
    prepared = ColumnTransformer(
        [
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["weight", "items", "express"]),
        ]
    )
    return make_pipeline(prepared, LogisticRegression()).fit(train.drop("outcome"), train["outcome"])
