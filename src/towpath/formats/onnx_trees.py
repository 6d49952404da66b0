"""Trees in ONNX, exactly: what the converters leave to rounding, or leave out, is put right on its way into the graph.

ONNX keeps a tree's thresholds as float32 and rounds them to the nearest; a threshold that lies between two neighbouring float32 values
may then land on the upper one, and that value changes sides. Of a test ``x <= t`` with x a float32, the largest float32 not above t is
the same test: thresholds are rounded down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from skl2onnx._supported_operators import sklearn_operator_name_map
from skl2onnx.common._registration import get_converter
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from towpath.formats.onnx_parts import Refusal

Converter = Callable[[Any, Any, Any], None]
_FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
_TREES = (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)
_HISTOGRAM = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


class ExactTrees:
    """Stands for skl2onnx's container of nodes while one estimator is converted; all but tree nodes passes through."""

    def __init__(self, container: Any, missing_left: list[int] | None = None) -> None:
        self._container, self._missing_left = container, missing_left

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, op_type: str, inputs: Any, outputs: Any, **attributes: Any) -> Any:
        """Add a node; of a tree ensemble, with thresholds rounded down, plain Python numbers, and the ways of missing values."""
        if op_type.startswith("TreeEnsemble"):
            attributes = {key: _plain(value) for key, value in attributes.items()}
            modes, values = attributes["nodes_modes"], attributes["nodes_values"]
            rounded = float32_below(values)
            attributes["nodes_values"] = [
                float(low if mode == "BRANCH_LEQ" else value) for mode, value, low in zip(modes, values, rounded, strict=True)
            ]
            if self._missing_left is not None:
                attributes["nodes_missing_value_tracks_true"] = self._missing_left
        return self._container.add_node(op_type, inputs, outputs, **attributes)


def float32_below(values: ArrayLike) -> NDArray[np.float32]:
    """For each value the largest float32 that is not above it.

    >>> t = (1.0 + float(np.nextafter(np.float32(1), np.float32(2)))) / 2
    >>> float(float32_below([t * (1 + 1e-12)])[0])
    1.0
    """
    exact = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore"):
        nearest = exact.astype(np.float32)
    return np.where(nearest > exact, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def exactly(converter: Converter, missing_left: Callable[[Any], list[int]] | None = None) -> Converter:
    """A converter whose tree nodes are put right."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        left = missing_left(operator.raw_operator) if missing_left else None
        converter(scope, operator, ExactTrees(container, left))

    return convert


def tree_converters() -> dict[type, Converter]:
    """For scikit-learn's trees, forests and histogram boosting: skl2onnx's own, put right."""
    ways = {**dict.fromkeys(_FORESTS, _forest_left), **dict.fromkeys(_TREES, _tree_left), **dict.fromkeys(_HISTOGRAM, _histogram_left)}
    return {kind: exactly(get_converter(sklearn_operator_name_map[kind]), way) for kind, way in ways.items()}


def _forest_left(model: Any) -> list[int]:
    return [way for tree in model.estimators_ for way in _tree_left(tree)]


def _tree_left(model: Any) -> list[int]:
    return [int(way) for way in model.tree_.missing_go_to_left]


def _histogram_left(model: Any) -> list[int]:
    return [int(node["missing_go_to_left"]) for trees in model._predictors for tree in trees for node in tree.nodes]


def why_not(estimator: Any) -> Refusal | None:
    """What skl2onnx would get wrong of histogram boosting."""
    if not isinstance(estimator, _HISTOGRAM):
        return None
    if estimator.loss in ("poisson", "gamma"):
        return Refusal(
            f"the exponential of loss={estimator.loss!r} is not part of the converter", "take LightGBM or XGBoost with the same objective"
        )
    if estimator.is_categorical_ is not None and estimator.is_categorical_.any():
        return Refusal(
            "its native categories are not part of the converter",
            "leave them text and put an OrdinalEncoder in a ColumnTransformer before it, without categorical_features; "
            "or take LightGBM, whose native categories convert",
        )
    return None


def _plain(value: Any) -> Any:
    """Numbers of NumPy as Python's: the ONNX helper refuses a list that holds both."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        value = [item.item() if isinstance(item, np.generic) else item for item in value]
        value = [int(item) if isinstance(item, bool) else item for item in value]
        return [float(item) for item in value] if any(isinstance(item, float) for item in value) else value
    return value.item() if isinstance(value, np.generic) else value
