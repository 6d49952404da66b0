"""The best of a few hyperparameters."""

import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder


def rows(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("carrier", "weight", "items", "express", "late")


def model(train: pl.DataFrame) -> RandomizedSearchCV:
    prepared = ColumnTransformer(
        [
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
            ("numbers", SimpleImputer(), ["weight", "items", "express"]),
        ]
    )
    pipeline = Pipeline([("prepare", prepared), ("forest", RandomForestClassifier(10, random_state=0))])
    search = RandomizedSearchCV(pipeline, {"forest__max_depth": [3, 6]}, n_iter=2, cv=2, random_state=0)
    return search.fit(train.drop("late"), train["late"])
