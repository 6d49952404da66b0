"""Scalers in ONNX, in double precision inside: scikit-learn scales in float64, and a tree behind it then rounds to float32.

A tree that saw hours 14 and 16 in a node splits at exactly 15. Scaled in float32, hour 15 lies one rounding beside that threshold or the
other, so that many rows change sides; computed in float64 and rounded once, it is the same float32 that the trained tree sees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto
from skl2onnx.operator_converters.common import concatenate_variables
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

SCALERS = (MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler)
Step = tuple[str, Any]  # an ONNX operator, and its second operand: None for none, a number or one a column


def convert_scaler(scope: Any, operator: Any, container: Any) -> None:
    """The arithmetic of a fitted scaler, as scikit-learn does it: the same operations in the same order."""
    many = len(operator.inputs) > 1
    name = concatenate_variables(scope, operator.inputs, container) if many else operator.inputs[0].full_name
    name = _node(scope, container, "Cast", [name], to=TensorProto.DOUBLE)
    for op_type, operand in _arithmetic(operator.raw_operator):
        if operand is not None:
            name = _node(scope, container, op_type, [name, _constant(scope, container, operand)])
    container.add_node("Cast", [name], [operator.outputs[0].full_name], to=TensorProto.FLOAT, name=scope.get_unique_operator_name("Cast"))


def _arithmetic(scaler: Any) -> list[Step]:
    match scaler:
        case StandardScaler():
            return [("Sub", scaler.mean_ if scaler.with_mean else None), ("Div", scaler.scale_)]
        case RobustScaler():
            return [("Sub", scaler.center_), ("Div", scaler.scale_)]
        case MinMaxScaler():
            low, high = scaler.feature_range if scaler.clip else (None, None)
            return [("Mul", scaler.scale_), ("Add", scaler.min_), ("Max", low), ("Min", high)]
        case _:
            low, high = (-1.0, 1.0) if getattr(scaler, "clip", False) else (None, None)
            return [("Div", scaler.scale_), ("Max", low), ("Min", high)]


def _constant(scope: Any, container: Any, values: Any) -> str:
    array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    name = str(scope.get_unique_variable_name("scaler"))
    container.add_initializer(name, TensorProto.DOUBLE, list(array.shape), array.tolist())
    return name


def _node(scope: Any, container: Any, op_type: str, inputs: list[str], **attributes: Any) -> str:
    name = str(scope.get_unique_variable_name("scaled"))
    container.add_node(op_type, inputs, [name], name=scope.get_unique_operator_name(op_type), **attributes)
    return name
