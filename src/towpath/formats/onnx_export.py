"""Adapter: a trained scikit-learn object (LightGBM and XGBoost among its steps) as ONNX bytes, through skl2onnx.

The graph has one input a column in the order of the schema, each of shape (rows, 1): strings, or float32. Integers and booleans are
floats too, as in `frames.canonical`. An input is named like its column, with _ for what skl2onnx does not take in a name. A classifier
gives ``label`` and ``probabilities`` (rows, classes), in the order of its `classes_`; a regressor ``variable`` (rows, 1). The same object
gives the same bytes: the graph's name and the operator sets are fixed.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx._supported_operators import sklearn_operator_name_map
from skl2onnx.common._registration import get_shape_calculator
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import BaseEstimator, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from towpath.errors import UsageError
from towpath.formats import native_categories
from towpath.formats.errors import NotConvertible
from towpath.formats.onnx_parts import Part, parts, why_not
from towpath.formats.onnx_scalers import SCALERS, convert_scaler
from towpath.formats.onnx_trees import Converter, tree_converters
from towpath.formats.onnx_trees import why_not as histogram_why_not
from towpath.formats.schema import Schema
from towpath.verdict import Verdict

OPSETS = {"": 18, "ai.onnx.ml": 3}
_LOCALE = "C.UTF-8"  # the default of the converter, en_US, is missing on many machines
_WORDS = r"(?u)\b\w\w+\b"  # scikit-learn's default token_pattern, and the same in RE2, where \w and \b know no letters but ASCII's
_WORDS_RE2 = r"[\pL\pN_][\pL\pN_]+"
_OTHER_LIBRARIES = {"lightgbm": "towpath.formats.onnx_lightgbm", "xgboost": "towpath.formats.onnx_xgboost"}
_WAYS_ON = (
    "do its row-wise work in the `features` function, which needs no conversion; replace it by a built-in step that converts "
    "(scikit-learn's scalers, encoders, imputers, vectorizers, linear models and trees, LightGBM, XGBoost); "
    "or register a converter with skl2onnx.update_registered_converter"
)


def to_onnx(model: Any, inputs: Schema, *, name: str = "model") -> bytes:
    """The ONNX form of a trained object, for the columns that it was trained on, in order.

    Raises:
        NotConvertible: names the step that does not convert, why not, and the ways on.
    """
    check_convertible(model)
    model = native_categories.encoded(model, inputs)
    converters = {**tree_converters(), **dict.fromkeys(SCALERS, convert_scaler)}
    try:
        return _converted(model, inputs, name, converters)
    except NotConvertible:
        raise
    except Exception as fault:  # a border: converters of other projects raise anything, and each means that there is no ONNX form
        part = _failing_step(model, inputs, converters)
        raise NotConvertible(part.title, _first_line(fault), mend=_WAYS_ON) from fault


def check_convertible(model: Any) -> None:
    """Refuse what is known to have no ONNX form, before anybody asks the model or converts it.

    Raises:
        NotConvertible: names the step, why not, and the ways on.
        UsageError: the model is not fitted.
    """
    if not isinstance(model, BaseEstimator):
        raise NotConvertible(type(model).__name__, "it is no scikit-learn estimator", mend=_estimator_instead(model))
    _check_fitted(model)
    if is_classifier(model) and not hasattr(model, "predict_proba"):
        raise NotConvertible(
            type(model).__name__,
            "it gives no probabilities",
            mend="wrap it in CalibratedClassifierCV, or take a classifier that has predict_proba",
        )
    adapters = _register_loaded()
    for path, estimator in parts(model):
        for refuses in (*(adapter.why_not for adapter in adapters), histogram_why_not, why_not):
            if found := refuses(estimator):
                raise NotConvertible(Part(path, estimator).title, found.reason, mend=found.mend or _WAYS_ON)


def _check_fitted(model: Any) -> None:
    try:
        check_is_fitted(model)
    except NotFittedError:
        raise UsageError(f"the {type(model).__name__} is not fitted", mend="return what `.fit(...)` gives back") from None


def answers_otherwise(model: Any, golden: Verdict) -> NotConvertible:
    """The refusal of a model whose ONNX form was made, and does not answer its golden rows as the model itself."""
    apart, row = golden.numbers.get("max_difference"), golden.numbers.get("row")
    reason = golden.because if apart is None else f"converted, it gives other answers: {apart:.2g} apart on golden row {row:.0f}"
    if not isinstance(model, Pipeline):
        return NotConvertible(Part("", model).title, reason, mend=_WAYS_ON)
    earlier = "if a step before it computes (polynomials, logarithms), do that in `features`: trees take a rounding for another value; or "
    return NotConvertible(Part(*model.steps[-1]).title, reason, mend=earlier + _WAYS_ON)


def _estimator_instead(model: Any) -> str:
    """The way on from what is no estimator; the boosters of two libraries have one that trains the same trees."""
    kinds = {"lightgbm": "LGBMClassifier or LGBMRegressor", "xgboost": "XGBClassifier or XGBRegressor"}
    library = type(model).__module__.partition(".")[0]
    if library in kinds:
        return f"train {kinds[library]} instead: the same trees from the same parameters, with the classes kept"
    return "return a scikit-learn estimator or Pipeline from the function under `model.train`; LightGBM and XGBoost have such estimators"


def _converted(model: Any, inputs: Schema, name: str, converters: dict[type, Converter]) -> bytes:
    types = [
        (column.name, StringTensorType([None, 1]) if column.type == "string" else FloatTensorType([None, 1])) for column in inputs.columns
    ]
    model = _joined(model, inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the converters, about themselves; what they get wrong, parity finds
        onnx = convert_sklearn(
            model,
            name,
            types,
            target_opset=OPSETS,
            options=_options(model),
            custom_conversion_functions=converters,
            custom_shape_calculators={kind: get_shape_calculator(sklearn_operator_name_map[kind]) for kind in converters},
        )
    opsets = sorted(onnx.opset_import, key=lambda opset: str(opset.domain))  # skl2onnx writes them in the order of a set
    del onnx.opset_import[:]
    onnx.opset_import.extend(opsets)
    return bytes(onnx.SerializeToString(deterministic=True))


def _joined(model: Any, inputs: Schema) -> Any:
    """With a first step that joins the columns into one table of numbers; unless the model's own first step chooses its columns."""
    first = model.steps[0][1] if isinstance(model, Pipeline) else model
    if isinstance(first, ColumnTransformer) or len(inputs.columns) == 1 or any(column.type == "string" for column in inputs.columns):
        return model
    width = len(inputs.columns)
    columns = ColumnTransformer([("all", "passthrough", list(range(width)))]).fit(np.zeros((1, width)))
    return Pipeline([("columns", columns), ("model", model)])


def _options(model: Any) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {id(model): {"zipmap": False}} if is_classifier(model) else {}
    for _, part in parts(model):
        if isinstance(part, CountVectorizer):  # TfidfVectorizer too
            words = part.analyzer == "word" and part.token_pattern == _WORDS
            found[id(part)] = {"locale": _LOCALE, **({"tokenexp": _WORDS_RE2} if words else {})}
    return found


def _register_loaded() -> list[Any]:
    """The adapters of the libraries that this process has loaded: a model of one that is not loaded cannot be here."""
    # imported here by name, because an adapter needs its library, which may not be installed
    adapters = [importlib.import_module(adapter) for library, adapter in _OTHER_LIBRARIES.items() if library in sys.modules]
    for adapter in adapters:
        adapter.register()
    return adapters


def _failing_step(model: Any, inputs: Schema, converters: dict[type, Converter]) -> Part:
    """The first step of a pipeline up to which the conversion fails; the whole object, if it has no steps."""
    if not isinstance(model, Pipeline):
        return Part("", model)
    for n in range(1, len(model.steps)):
        name, step = model.steps[n - 1]
        try:
            _converted(Pipeline(model.steps[:n]), inputs, "part", converters)
        except Exception:  # the same border as above; the reason was given there
            return Part(name, step)
    name, step = model.steps[-1]
    return Part(name, step)


def _first_line(fault: Exception) -> str:
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return f"{type(fault).__name__}: {lines[0][:300] if lines else 'no message'}"
