"""The Open Inference Protocol's JSON: requests into columns, answers into tensors. Pure.

A column of the request is a tensor of shape ``[n]`` or ``[n, 1]``; null means missing. The prediction id is the request's
``id`` or a new one; of a request with several rows, row k has the prediction id ``ID/k``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from towpath.errors import UsageError
from towpath.formats import Label
from towpath.formats.errors import BadColumn
from towpath.formats.schema import Column, ColumnType, Schema, check_columns, check_names
from towpath.serving.answers import Answer

Columns = dict[str, list[Any]]

LONGEST_ID = 256
_FLOATS = ("FP16", "FP32", "FP64")
_INTEGERS = tuple(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))
_DATATYPES: dict[ColumnType, tuple[str, ...]] = {
    "string": ("BYTES",),
    "time": ("BYTES",),
    "boolean": ("BOOL",),
    "number": (*_FLOATS, *_INTEGERS),
    "integer": (*_INTEGERS, *_FLOATS),
}
_USUAL: dict[ColumnType, str] = {"string": "BYTES", "time": "BYTES", "boolean": "BOOL", "number": "FP64", "integer": "INT64"}
_SHOWN: dict[ColumnType, str] = {
    "string": "BYTES",
    "time": "BYTES (ISO 8601 text)",
    "boolean": "BOOL",
    "number": "FP64, FP32 or an INT type",
    "integer": "INT64",
}


class Tensor(msgspec.Struct):
    """One column."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class InferRequest(msgspec.Struct):
    """What ``/infer`` takes; other fields of the protocol are allowed and not used."""

    inputs: list[Tensor]
    id: str | None = None


class LabelRequest(msgspec.Struct):
    """One label of ``/labels``."""

    id: str
    label: str | int | float | bool | None


_infer = msgspec.json.Decoder(InferRequest)
_labels = msgspec.json.Decoder(list[LabelRequest] | LabelRequest)
_encode = msgspec.json.Encoder().encode


def infer_request(body: bytes) -> InferRequest:
    """Read the body of ``/infer``. Raises UsageError that names the field."""
    request: InferRequest = _decoded(_infer, body, 'send {"inputs": [{"name", "shape", "datatype", "data"}, ...]}')
    if request.id is not None and len(request.id) > LONGEST_ID:
        raise UsageError(f"field id has {len(request.id)} characters", mend=f"send at most {LONGEST_ID}")
    return request


def label_request(body: bytes) -> list[LabelRequest]:
    """Read the body of ``/labels``: one label or a list. Raises UsageError that names the field."""
    told: list[LabelRequest] | LabelRequest = _decoded(_labels, body, 'send {"id": ..., "label": ...} or a list of such')
    return told if isinstance(told, list) else [told]


def _decoded(decoder: msgspec.json.Decoder[Any], body: bytes, mend: str) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as fault:
        raise UsageError(f"the request does not fit: {fault}", mend=mend) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise UsageError(f"the body is no JSON: {fault}", mend=mend) from None


def columns(schema: Schema, tensors: Sequence[Tensor]) -> tuple[int, Columns]:
    """The number of rows and the raw columns, in the schema's order, each value checked.

    Raises:
        BadColumn: names the column, and says what is wrong with it: unknown, missing, twice, shape, datatype or a value.
    """
    by_name = {tensor.name: tensor for tensor in tensors}
    if len(by_name) != len(tensors):
        names = [tensor.name for tensor in tensors]
        raise BadColumn(next(name for name in names if names.count(name) > 1), "it is there twice", mend="send each column once")
    if len(by_name) != len(schema.columns):
        check_names(tuple(by_name), schema.names)
    found: Columns = {}
    for column in schema.columns:
        tensor = by_name.get(column.name)
        if tensor is None:
            check_names(tuple(by_name), schema.names)
        else:
            found[column.name] = _values(column, tensor)
    rows = check_columns(schema, found)
    if rows == 0:
        raise BadColumn(schema.columns[0].name if schema.columns else "", "it has no rows", mend="send at least one row")
    return rows, found


def _values(column: Column, tensor: Tensor) -> list[Any]:
    if tensor.datatype not in _DATATYPES[column.type]:
        raise BadColumn(column.name, f"datatype {tensor.datatype[:20]!r} is not for {column.type}", mend=f"send {_SHOWN[column.type]}")
    shape, data = tensor.shape, tensor.data
    if len(shape) == 2 and shape[1] == 1 and all(type(value) is list and len(value) == 1 for value in data):
        data = [value[0] for value in data]
    if (len(shape) != 1 and not (len(shape) == 2 and shape[1] == 1)) or shape[0] != len(data):
        raise BadColumn(column.name, f"shape {shape} with {len(data)} values", mend="send the shape [n] or [n, 1] with n values")
    if column.type == "integer" and tensor.datatype in _FLOATS:
        return [int(value) if type(value) is float and value.is_integer() else value for value in data]
    if tensor.datatype in _INTEGERS:
        _check_integers(column, data)
    return data


def _check_integers(column: Column, data: list[Any]) -> None:
    for row, value in enumerate(data):
        if type(value) is float or (type(value) is int and not -(2**63) <= value < 2**63):
            raise BadColumn(
                column.name, f"row {row} is {value!r}, which is no integer of 64 bits", mend="send integers, or another datatype"
            )


def row_ids(id: str, rows: int) -> list[str]:
    """The prediction id of each row of a request.

    >>> row_ids("a", 1), row_ids("a", 2)
    (['a'], ['a/0', 'a/1'])
    """
    return [id] if rows == 1 else [f"{id}/{row}" for row in range(rows)]


def response(model: str, version: int, id: str, answer: Answer, classes: Sequence[Label]) -> bytes:
    """The body of an answer: ``label`` (or ``value``), and ``probability`` of each class where there are probabilities."""
    rows = len(answer.predictions)
    name = "label" if classes else "value"
    outputs: list[dict[str, Any]] = [
        {"name": name, "shape": [rows], "datatype": _datatype(answer.predictions[0]), "data": answer.predictions}
    ]
    if answer.probabilities is not None:
        flat = [p for row in answer.probabilities for p in row]
        width = len(answer.probabilities[0])
        parameters = {"parameters": {"classes": classes}}
        outputs.append({"name": "probability", "shape": [rows, width], "datatype": "FP64", **parameters, "data": flat})
    return _encode({"model_name": model, "model_version": str(version), "id": id, "outputs": outputs})


def _datatype(value: Label) -> str:
    match value:
        case bool():
            return "BOOL"
        case int():
            return "INT64"
        case float():
            return "FP64"
        case _:
            return "BYTES"


def metadata(model: str, versions: Sequence[int], schema: Schema, classes: Sequence[Label]) -> dict[str, Any]:
    """What ``GET /v2/models/{m}`` tells: the columns of a request, and the outputs."""
    numbers = [{"name": "probability", "datatype": "FP64", "shape": [-1, len(classes)]}] if classes else []
    kind = _datatype(classes[0]) if classes else "FP64"
    return {
        "name": model,
        "versions": [str(version) for version in versions],
        "platform": "towpath_onnx",
        "inputs": [{"name": c.name, "datatype": _USUAL[c.type], "shape": [-1]} for c in schema.columns],
        "outputs": [{"name": "label" if classes else "value", "datatype": kind, "shape": [-1]}, *numbers],
    }


def error(what: str) -> bytes:
    """The body of every refusal."""
    return _encode({"error": what})
