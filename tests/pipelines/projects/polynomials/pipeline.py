"""Trees behind products of numbers: a product rounded in another way falls on the other side of a split."""

import polars as pl
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures


def rows(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("carrier", "city", "weight", "items", "express", "late")


def model(train: pl.DataFrame) -> Pipeline:
    prepared = ColumnTransformer(
        [
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier", "city"]),
            ("numbers", make_pipeline(SimpleImputer(), PolynomialFeatures()), ["weight", "items", "express"]),
        ]
    )
    return make_pipeline(prepared, LGBMClassifier(verbose=-1, n_jobs=1)).fit(train.drop("late"), train["late"])
