"""XGBoost by itself, on numbers with names; the missing ones are left to it."""

import pandas as pd
from xgboost import XGBRegressor


def rows(orders: pd.DataFrame) -> pd.DataFrame:
    return orders[["weight", "items", "express", "price"]]


def model(train: pd.DataFrame) -> XGBRegressor:
    return XGBRegressor(n_estimators=20, n_jobs=1).fit(train.drop(columns="price"), train["price"])
