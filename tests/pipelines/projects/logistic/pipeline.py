"""Logistic regression on one-hot texts and scaled numbers."""

import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def rows(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("carrier", "city", "weight", "items", "express", "late")


def model(train: pl.DataFrame, *, c: float = 1.0) -> Pipeline:
    prepared = ColumnTransformer(
        [
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier", "city"]),
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["weight", "items", "express"]),
        ]
    )
    return make_pipeline(prepared, LogisticRegression(C=c)).fit(train.drop("late"), train["late"])
