"""Words of a note beside a number."""

import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline


def rows(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("note", "items", "late")


def model(train: pl.DataFrame) -> Pipeline:
    prepared = ColumnTransformer([("words", TfidfVectorizer(), "note"), ("count", "passthrough", ["items"])])
    return make_pipeline(prepared, LogisticRegression()).fit(train.drop("late"), train["late"])
