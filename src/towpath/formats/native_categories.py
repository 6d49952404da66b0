"""LightGBM trained on pandas `category` columns: the encoding, which it keeps to itself, made a step of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from towpath.formats.errors import NotConvertible
from towpath.formats.schema import Schema


def categories_of(model: Any) -> list[list[Any]]:
    """The categories that LightGBM wrote down for each `category` column, in the columns' order; empty for any other model."""
    booster = getattr(model, "_Booster", None)
    return list(getattr(booster, "pandas_categorical", None) or [])


def encoded(model: Any, inputs: Schema) -> Any:
    """A pipeline that takes strings as the model took categories; the model itself where it has none.

    A string that was not seen becomes a missing value, as in LightGBM.
    """
    categories = categories_of(model)
    if not categories:
        return model
    strings = [column.name for column in inputs.columns if column.type == "string"]
    if len(strings) != len(categories) or not all(isinstance(value, str) for values in categories for value in values):
        raise NotConvertible(
            type(model).__name__,
            f"it has {len(categories)} category columns, the rows have {len(strings)} text columns",
            mend="make exactly the text columns categories; or put an OrdinalEncoder in a ColumnTransformer before the model",
        )
    encoders = dict(zip(strings, map(_encoder, categories), strict=True))
    steps = [(f"c{n}", encoders.get(name, "passthrough"), [n]) for n, name in enumerate(inputs.names)]
    first = np.array([[encoders[name].categories[0][0] if name in encoders else 0.0 for name in inputs.names]], dtype=object)
    return Pipeline([("categories", ColumnTransformer(steps).fit(first)), ("model", model)])


def _encoder(categories: list[str]) -> OrdinalEncoder:
    return OrdinalEncoder(categories=[categories], handle_unknown="use_encoded_value", unknown_value=math.nan, dtype=np.float32)
