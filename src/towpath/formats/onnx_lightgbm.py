"""Adapter: LightGBM's trees as ONNX, through onnxmltools; what that converter would get wrong without a word is refused here."""

from __future__ import annotations

from typing import Any

from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from skl2onnx import update_registered_converter
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes, calculate_linear_regressor_output_shapes

from towpath.formats.onnx_parts import Refusal
from towpath.formats.onnx_trees import exactly

_OBJECTIVES = {"binary", "multiclass", "regression", "regression_l1", "quantile", "huber", "poisson", "gamma", "tweedie"}
_MEND = "train without it; or take scikit-learn's HistGradientBoosting or XGBoost"


def register() -> None:
    """Make LightGBM's scikit-learn estimators known to skl2onnx. Once or many times, to the same end."""
    kinds = {LGBMClassifier: calculate_linear_classifier_output_shapes, LGBMRegressor: calculate_linear_regressor_output_shapes}
    for kind, shapes in kinds.items():
        options = {"zipmap": [True, False, "columns"], "nocl": [True, False]} if kind is LGBMClassifier else None
        update_registered_converter(kind, f"LightGbm{kind.__name__}", shapes, exactly(convert_lightgbm), options=options)


def why_not(estimator: Any) -> Refusal | None:
    """What the converter does not take, or would get wrong."""
    if not isinstance(estimator, (LGBMClassifier, LGBMRegressor)):
        return None
    settings = dict(estimator.booster_.params)
    for name, fine in (("linear_tree", False), ("zero_as_missing", False), ("sigmoid", 1.0), ("reg_sqrt", False)):
        if settings.get(name, fine) != fine:
            return Refusal(f"{name}={settings[name]} is not part of the converter", _MEND)
    if estimator.boosting_type == "rf":
        return Refusal("boosting_type='rf' is not converted correctly", "take scikit-learn's RandomForest")
    if (objective := str(estimator.objective_)) not in _OBJECTIVES:
        return Refusal(f"its objective {objective} is not part of the converter", f"one of {', '.join(sorted(_OBJECTIVES))}")
    return None
