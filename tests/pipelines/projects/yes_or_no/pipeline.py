"""A binary target in words."""

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier


def rows(orders: pd.DataFrame) -> pd.DataFrame:
    return orders[["carrier", "weight", "items", "express", "returned"]]


def model(train: pd.DataFrame) -> Pipeline:
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    prepared = make_column_transformer((ordinal, ["carrier"]), remainder="passthrough")
    return make_pipeline(prepared, DecisionTreeClassifier(max_depth=6, random_state=0)).fit(
        train.drop(columns="returned"), train["returned"]
    )
