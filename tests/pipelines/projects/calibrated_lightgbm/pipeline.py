"""A calibration that converts, to other answers than its own."""

import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV


def rows(orders: pd.DataFrame) -> pd.DataFrame:
    return orders[["weight", "items", "express", "late"]]


def model(train: pd.DataFrame) -> CalibratedClassifierCV:
    trees = LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1)
    return CalibratedClassifierCV(trees, cv=2).fit(train.drop(columns="late"), train["late"])
