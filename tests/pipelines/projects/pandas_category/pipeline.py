"""Texts as pandas categories, and the encoder for whatever is a category."""

import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

TEXTS = ["carrier", "city"]


def rows(orders: pd.DataFrame) -> pd.DataFrame:
    return orders[[*TEXTS, "weight", "items", "express", "late"]]


def features(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(heavy=rows["weight"] > 10).astype(dict.fromkeys(TEXTS, "category"))


def model(train: pd.DataFrame) -> Pipeline:
    known = train.drop(columns="late").astype(dict.fromkeys(TEXTS, "category"))
    prepared = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
        (SimpleImputer(), make_column_selector(dtype_include="number")),
    )
    return make_pipeline(prepared, GradientBoostingClassifier(n_estimators=20, random_state=0)).fit(known, train["late"])
