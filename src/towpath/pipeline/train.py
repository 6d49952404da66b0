"""Training: the user's function, or a sound default, on the rows that training may see."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from towpath.digest import of_bytes
from towpath.errors import UnknownName, UsageError
from towpath.formats.frames import as_annotated
from towpath.pipeline.functions import Function, StepFailed
from towpath.pipeline.graph import defaults_of

TRAIN = "train"  # the reserved name of the parameter that takes the training rows


def parameters_of(function: Function, declared: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters of a training: the function's defaults, and over them what the project declares.

    Raises:
        UnknownName: the project declares one that the function does not take.
    """
    known = defaults_of(function)
    for name in declared:
        if name not in known:
            raise UnknownName(f"keyword-only parameter of {function.__name__!r}", name, known)
    return {**known, **declared}


def fit(function: Function, train: pl.DataFrame, parameters: Mapping[str, Any], *, seed: int, root: Path) -> Any:
    """The trained object. ``random`` and NumPy are seeded before, so that a function that sets no seed repeats as well.

    Raises:
        StepFailed: the function raised.
        UsageError: it returned nothing that predicts.
    """
    random.seed(seed)
    np.random.seed(seed)  # the state that users' libraries read
    try:
        model = function(as_annotated(train, function.__annotations__.get(TRAIN)), **parameters)
    except Exception as fault:  # whatever the user's function raises is theirs to mend
        raise StepFailed(function.__name__, fault, root) from fault
    if not hasattr(model, "predict"):
        raise UsageError(f"{function.__name__!r} returned {type(model).__name__}, which has no `predict`", mend="return the fitted model")
    return model


def seed_of(project: str, step: str, seed: int) -> int:
    """The seed of a step: from project, step and declared seed, never from data or code. Between 0 and 2**32 - 1."""
    return int(of_bytes(f"{project}/{step}/{seed}".encode())[:8], 16)
