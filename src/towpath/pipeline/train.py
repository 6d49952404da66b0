"""Training functions: what they take, and calling one in this process."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from towpath.errors import UnknownName, UsageError
from towpath.pipeline.calling import call
from towpath.pipeline.functions import CHECKPOINT, Function, wants_checkpoint
from towpath.pipeline.graph import defaults_of, hyperparameters_of
from towpath.pipeline.seeds import sow

TRAIN, VALID = "train", "valid"  # the reserved names of the parameters that take rows


def takes_valid(function: Function) -> bool:
    """Whether a training takes rows to stop by."""
    return VALID in inspect.signature(function).parameters


def parameters_of(function: Function, declared: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters of a training: the function's defaults, and over them what the project declares.

    Raises:
        UnknownName: the project declares one that the function does not take.
        UsageError: the function does not take the training rows as ``train``, or takes one that has no value.
    """
    _check(function, declared)
    known = defaults_of(function)
    return {**known, **declared}


def _check(function: Function, declared: Mapping[str, Any]) -> None:
    parameters = dict(inspect.signature(function).parameters)
    if wants_checkpoint(function):
        del parameters[CHECKPOINT]
    hyper = hyperparameters_of(function)
    for name in declared:
        if name not in hyper:
            raise UnknownName(f"keyword-only parameter of {function.__name__!r}", name, hyper)
    if TRAIN not in parameters:
        raise UsageError(
            f"{function.__name__!r} takes {', '.join(parameters) or 'nothing'}, and no {TRAIN!r}",
            mend=f"call the parameter that takes the training rows `{TRAIN}`",
        )
    empty = [name for name, one in parameters.items() if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    for name in empty:
        if name not in (TRAIN, VALID) and name not in declared:
            raise UsageError(
                f"{function.__name__!r} takes {name!r}, which has no value",
                mend=f"write it behind `*` with a default, or give it one under `model.parameters`; data come by {TRAIN} and {VALID} alone",
            )


def fit(function: Function, given: Mapping[str, pl.DataFrame], parameters: Mapping[str, Any], *, seed: int, root: Path) -> Any:
    """The trained object. ``random`` and NumPy are seeded before, so that a function that sets no seed repeats as well.

    Args:
        given: the rows by parameter, in the form in which a model sees them, with the label.

    Raises:
        StepFailed: the function raised.
        UsageError: it returned nothing that predicts.
    """
    sow(seed)
    return checked(function.__name__, call(function.__name__, function, given, root, parameters))


def checked(name: str, model: Any) -> Any:
    """What a training returned. Raises UsageError where it does not predict."""
    if not hasattr(model, "predict"):
        raise UsageError(f"{name!r} returned {type(model).__name__}, which has no `predict`", mend="return the fitted model")
    return model
