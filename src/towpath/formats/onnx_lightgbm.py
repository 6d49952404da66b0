"""Adapter: LightGBM's trees as ONNX, through onnxmltools; what that converter would get wrong without a word is refused here."""

from __future__ import annotations

from typing import Any

from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from skl2onnx import update_registered_converter
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes, calculate_linear_regressor_output_shapes

from towpath.formats.errors import NotConvertible
from towpath.formats.onnx_trees import exactly

_OBJECTIVES = {"binary", "multiclass", "regression", "regression_l1", "quantile", "huber", "poisson", "gamma", "tweedie"}
_MEND = "train without it; or take scikit-learn's HistGradientBoosting or XGBoost"


def register() -> None:
    """Make LightGBM's scikit-learn estimators known to skl2onnx. Once or many times, to the same end."""
    kinds = {LGBMClassifier: calculate_linear_classifier_output_shapes, LGBMRegressor: calculate_linear_regressor_output_shapes}
    for kind, shapes in kinds.items():
        options = {"zipmap": [True, False, "columns"], "nocl": [True, False]} if kind is LGBMClassifier else None
        update_registered_converter(kind, f"LightGbm{kind.__name__}", shapes, exactly(_convert), options=options)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    settings = dict(model.booster_.params)
    for name, fine in (("linear_tree", False), ("zero_as_missing", False), ("sigmoid", 1.0), ("reg_sqrt", False)):
        if settings.get(name, fine) != fine:
            raise NotConvertible(type(model).__name__, f"{name}={settings[name]} is not part of the converter", mend=_MEND)
    if model.boosting_type == "rf":
        raise NotConvertible(type(model).__name__, "boosting_type='rf' is not converted correctly", mend="take scikit-learn's RandomForest")
    if (objective := str(model.objective_)) not in _OBJECTIVES:
        raise NotConvertible(
            type(model).__name__, f"its objective {objective} is not part of the converter", mend=f"one of {', '.join(sorted(_OBJECTIVES))}"
        )
    convert_lightgbm(scope, operator, container)
