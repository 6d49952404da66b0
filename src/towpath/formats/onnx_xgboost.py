"""Adapter: XGBoost's trees as ONNX, through onnxmltools."""

from __future__ import annotations

from copy import copy
from typing import Any

from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import update_registered_converter
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes, calculate_linear_regressor_output_shapes
from xgboost import XGBClassifier, XGBRegressor

from towpath.formats.onnx_parts import Refusal
from towpath.formats.onnx_trees import exactly


def register() -> None:
    """Make XGBoost's scikit-learn estimators known to skl2onnx. Once or many times, to the same end."""
    kinds = {XGBClassifier: calculate_linear_classifier_output_shapes, XGBRegressor: calculate_linear_regressor_output_shapes}
    for kind, shapes in kinds.items():
        options = {"zipmap": [True, False, "columns"], "nocl": [True, False]} if kind is XGBClassifier else None
        update_registered_converter(kind, f"XGBoost{kind.__name__}", shapes, exactly(_convert), options=options)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    named, operator.raw_operator = operator.raw_operator, _nameless(operator.raw_operator)
    try:
        convert_xgboost(scope, operator, container)
    finally:
        operator.raw_operator = named


def _nameless(model: Any) -> Any:
    """The same model without its columns' names, of which the converter takes none but f0, f1 and so on."""
    nameless = copy(model)
    nameless._Booster = model.get_booster().copy()
    nameless._Booster.feature_names = None
    return nameless


def why_not(estimator: Any) -> Refusal | None:
    """What the converter does not take, or would get wrong."""
    if not isinstance(estimator, (XGBClassifier, XGBRegressor)):
        return None
    if "c" in (estimator.get_booster().feature_types or ()):
        return Refusal(
            "its native categories are not part of the converter",
            "leave them text and put an OrdinalEncoder or OneHotEncoder in a ColumnTransformer before it; "
            "or take LightGBM, whose native categories convert",
        )
    if estimator.booster not in (None, "gbtree"):
        return Refusal(f"booster={estimator.booster!r} is not part of the converter", "train with booster='gbtree'")
    return None
