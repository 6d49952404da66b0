"""A step of one's own: it has no portable form, and the run says so."""

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder


class Damped(TransformerMixin, BaseEstimator):
    """The logarithm of a number: a pound more means less, the more there are already."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.log1p(X)


def rows(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("carrier", "city", "weight", "items", "express", "late")


def model(train: pl.DataFrame) -> Pipeline:
    prepared = ColumnTransformer(
        [
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier", "city"]),
            ("numbers", make_pipeline(SimpleImputer(), Damped()), ["weight", "items", "express"]),
        ]
    )
    return make_pipeline(prepared, LogisticRegression()).fit(train.drop("late"), train["late"])
