"""Adapter: XGBoost's trees as ONNX, through onnxmltools."""

from __future__ import annotations

from typing import Any

from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import update_registered_converter
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes, calculate_linear_regressor_output_shapes
from xgboost import XGBClassifier, XGBRegressor

from towpath.formats.errors import NotConvertible
from towpath.formats.onnx_trees import exactly


def register() -> None:
    """Make XGBoost's scikit-learn estimators known to skl2onnx. Once or many times, to the same end."""
    kinds = {XGBClassifier: calculate_linear_classifier_output_shapes, XGBRegressor: calculate_linear_regressor_output_shapes}
    for kind, shapes in kinds.items():
        options = {"zipmap": [True, False, "columns"], "nocl": [True, False]} if kind is XGBClassifier else None
        update_registered_converter(kind, f"XGBoost{kind.__name__}", shapes, exactly(_convert), options=options)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    booster = model.get_booster()
    name = type(model).__name__
    if "c" in (booster.feature_types or ()):
        raise NotConvertible(
            name, "native categories are not part of the converter", mend="put an OrdinalEncoder or OneHotEncoder before it"
        )
    if model.booster not in (None, "gbtree"):
        raise NotConvertible(name, f"booster={model.booster!r} is not part of the converter", mend="train with booster='gbtree'")
    convert_xgboost(scope, operator, container)
