"""Histogram boosting by itself, on pandas categories."""

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier


def rows(orders: pd.DataFrame) -> pd.DataFrame:
    return orders[["carrier", "weight", "city", "items", "express", "late"]]


def model(train: pd.DataFrame) -> HistGradientBoostingClassifier:
    known = train.drop(columns="late").astype({"carrier": "category", "city": "category"})
    return HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(known, train["late"])
