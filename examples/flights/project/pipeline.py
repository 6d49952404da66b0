"""Will a flight from New York arrive more than 15 minutes late? Asked at its scheduled departure, answered from what is known then."""

from __future__ import annotations

import polars as pl
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

WEATHER = ["temp", "dewp", "wind_dir", "wind_speed", "precip", "pressure", "visib"]
TEXT = ["carrier", "origin", "dest"]
SEED = 2013


def rows(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
    """A row a flight: its schedule, the weather of the hour at its airport, and whether it was late (null where it never arrived)."""
    hourly = weather.select("origin", "time_hour", *WEATHER).unique(["origin", "time_hour"], keep="first", maintain_order=True)
    joined = flights.with_columns(time_hour=pl.col("time").dt.truncate("1h")).join(
        hourly, on=["origin", "time_hour"], how="left", maintain_order="left"
    )
    return joined.select("time", *TEXT, "distance", "hour", "minute", "weekday", *WEATHER, "late")


def features(rows: pl.DataFrame) -> pl.DataFrame:
    """What the model sees of a row. The spread of temperature and dew point tells fog, whatever the season."""
    return rows.select(
        *TEXT,
        "distance",
        (pl.col("hour") * 60 + pl.col("minute")).alias("minute_of_day"),
        "weekday",
        "temp",
        (pl.col("temp") - pl.col("dewp")).alias("spread"),
        "wind_dir",
        "wind_speed",
        "precip",
        "pressure",
        "visib",
    )


def model(train: pl.DataFrame, *, trees: int = 200, rate: float = 0.05) -> Pipeline:
    """Boosted trees on the columns as they are: text by its place in the alphabet, a category never seen as -1, nulls as they come."""
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    boost = LGBMClassifier(
        n_estimators=trees,
        learning_rate=rate,
        num_leaves=15,
        min_child_samples=200,
        random_state=SEED,
        deterministic=True,
        force_row_wise=True,
        n_jobs=2,
        verbose=-1,
    )
    pipeline = Pipeline([("columns", ColumnTransformer([("text", encode, TEXT)], remainder="passthrough")), ("trees", boost)])
    return pipeline.fit(train.drop("late"), train["late"].to_numpy())
