"""How far two values of a step are apart, where their contents differ."""

from __future__ import annotations

from contextlib import ExitStack
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from towpath.pipeline import codecs
from towpath.pipeline.values import Value
from towpath.report.reproduction import distance
from towpath.store import Store

NUMBERS = ("table", "array", "json")


def far(one: Value, other: Value, store: Store) -> float:
    """The largest relative difference of two numbers at the same place; infinite where anything else differs, or cannot be compared."""
    if one.codec != other.codec or one.codec not in NUMBERS:
        return inf
    with ExitStack() as stack:
        return _far(*(codecs.give(value, store, Path(), stack) for value in (one, other)))


def _far(one: Any, other: Any) -> float:
    if isinstance(one, pl.DataFrame):
        if one.schema != other.schema or one.height != other.height:
            return inf
        return max((_series(one[name], other[name]) for name in one.columns), default=0.0)
    if isinstance(one, np.ndarray):
        return _array(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return max((_far(one[name], other[name]) for name in one), default=0.0) if one.keys() == other.keys() else inf
    if isinstance(one, list) and isinstance(other, list):
        return max(map(_far, one, other), default=0.0) if len(one) == len(other) else inf
    if isinstance(one, float) and isinstance(other, float):
        return distance(one, other)
    return 0.0 if one == other and type(one) is type(other) else inf


def _series(one: pl.Series, other: pl.Series) -> float:
    if not one.dtype.is_float():
        return 0.0 if one.equals(other) else inf
    return _array(one.to_numpy(), other.to_numpy()) if one.is_null().equals(other.is_null()) else inf


def _array(one: Any, other: Any) -> float:
    if one.shape != other.shape or one.dtype != other.dtype:
        return inf
    if not np.issubdtype(one.dtype, np.inexact):
        return 0.0 if np.array_equal(one, other) else inf
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        apart = np.abs(one - other) / np.maximum(1.0, np.maximum(np.abs(one), np.abs(other)))
    apart = np.where(same, 0.0, np.where(np.isnan(apart), inf, apart))
    return float(apart.max(initial=0.0))
