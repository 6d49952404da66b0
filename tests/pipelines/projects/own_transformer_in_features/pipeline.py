"""The way on that the error names: the step's row-wise work, done in `features`."""

import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

NUMBERS = ["weight", "items", "express"]


def rows(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("carrier", "city", *NUMBERS, "late")


def features(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col(NUMBERS).cast(pl.Float64).log1p())


def model(train: pl.DataFrame) -> Pipeline:
    prepared = ColumnTransformer(
        [("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier", "city"]), ("numbers", SimpleImputer(), NUMBERS)]
    )
    return make_pipeline(prepared, LogisticRegression()).fit(train.drop("late"), train["late"])
