"""A forest on an array of numbers, without names."""

import polars as pl
from sklearn.ensemble import RandomForestClassifier


def rows(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("carrier", "weight", "items", "express", "late")


def features(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("weight", "items", "express", bike=pl.col("carrier") == "bike")


def model(train: pl.DataFrame, *, trees: int = 20) -> RandomForestClassifier:
    return RandomForestClassifier(trees, random_state=0).fit(train.drop("late").to_numpy(), train["late"].to_numpy())
