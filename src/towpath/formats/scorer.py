"""Adapter: ONNX Runtime. One thread a session, because a worker is a process of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as states

from towpath.errors import Refused
from towpath.formats.errors import BadColumn, NotConvertible
from towpath.formats.port import Label, Scores, Values

_FAULTS = (states.Fail, states.InvalidArgument, states.InvalidGraph, states.InvalidProtobuf, states.NotImplemented, states.RuntimeException)
_ONLY_FATAL = 4


class OnnxScorer:
    """An ONNX model with one input a column; see `onnx_export` for its form."""

    def __init__(self, model: bytes, columns: Sequence[str], classes: tuple[Label, ...] = ()) -> None:
        """Load ``model``; ``columns`` in the order of its inputs, ``classes`` in the order of its probabilities.

        Raises:
            NotConvertible: ONNX Runtime does not take the model.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ONLY_FATAL  # faults are raised; the log would say them twice
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except _FAULTS as fault:
            raise NotConvertible(
                "the model", f"ONNX Runtime does not load it: {_first(fault)}", mend="replace the step that it names by another"
            ) from None
        self._classes = classes
        self._columns = tuple(columns)
        inputs = zip(self._columns, self._session.get_inputs(), strict=True)
        self._inputs = [(column, item.name, item.type == "tensor(string)") for column, item in inputs]
        self._output = [self._session.get_outputs()[1 if classes else 0].name]

    def score(self, columns: Mapping[str, Values]) -> Scores:
        """Answers for rows given as columns; see `port.Scorer`."""
        feed = {}
        try:
            with np.errstate(over="ignore"):  # beyond float32 is infinity, as in `frames.canonical`
                for column, name, is_text in self._inputs:
                    feed[name] = _texts(column, columns[column]) if is_text else _numbers(column, columns[column])
        except KeyError as fault:
            missing = str(fault.args[0])
            raise BadColumn(missing, "it is missing", mend=f"give it; the model takes {', '.join(self._columns)}") from None
        with _refusing():
            values: NDArray[np.float32] = self._session.run(self._output, feed)[0]
        return Scores(values if values.ndim == 2 else values.reshape(-1, 1), self._classes)


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except _FAULTS as fault:
        raise Refused(
            f"the model does not take these rows: {_first(fault)}", mend="send values as they were in training, equally many a column"
        ) from None


def _texts(name: str, values: Values) -> NDArray[Any]:
    array = np.empty((len(values), 1), dtype=object)
    for row, value in enumerate(values):
        if type(value) is not str:
            if value is not None:
                raise BadColumn(name, f"row {row} is {value!r}, which is no text", mend="send text")
            value = ""
        array[row, 0] = value
    return array


def _numbers(name: str, values: Values) -> NDArray[np.float32]:
    try:
        return np.array(values, dtype=np.float32).reshape(-1, 1)
    except (TypeError, ValueError) as fault:
        raise BadColumn(name, f"a value is no number: {fault}", mend="send numbers") from None


def _first(fault: Exception) -> str:
    return str(fault).strip().splitlines()[0][:300]
