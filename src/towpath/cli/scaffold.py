"""What `towpath init` writes: guessed from the data, asked of nobody. Pure: a frame in, texts out."""

from __future__ import annotations

import glob
import json
import re
from typing import NamedTuple

import numpy as np
import polars as pl

from towpath.errors import UnknownName, UsageError
from towpath.evaluation.names import TASKS
from towpath.project import FILE

MANY = 50  # more different texts than this are names or free text, not classes
FEW = 10  # more different whole numbers than this are amounts by themselves, not classes
LEAST_OF_A_CLASS = 5  # rows: of fewer, a random holdout might leave training none
LEAST_WITH_GAPS = 20  # rows each: classes are numbered one after the other; 5, 10 and 25 may be prices

GATES = {
    "binary": ("auc >= baseline + 0.02", "auc >= champion - 0.01"),
    "multiclass": ("log_loss <= 0.95x baseline", "log_loss <= 1.05x champion"),
    "regression": ("rmse <= 0.95x baseline", "rmse <= 1.05x champion"),
}


class Guess(NamedTuple):
    """What is predicted, and how it was found out, in words."""

    label: str
    task: str
    because: str


def guess(frame: pl.DataFrame, label: str | None, task: str | None) -> Guess:
    """The column to predict (the last, when none is named) and its task.

    Raises:
        UnknownName: no such column or task; the columns are listed, the nearest first.
        UsageError: no task fits the column.
    """
    if label is not None and label not in frame.columns:
        raise _no_column(label, frame.columns)
    if task is not None and task not in TASKS:
        raise UnknownName("task", task, TASKS)
    column = label if label is not None else frame.columns[-1]
    how = f"`{column}` is predicted" if label else f"`{column}`, the last column, is predicted (--label names another)"
    found, because = _task_of(_known(frame[column])) if task is None else (task, f"--task {task}")
    return Guess(column, found, f"{how}; task {found}: {because}")


def _no_column(label: str, columns: list[str]) -> UnknownName:
    error = UnknownName("column", label, columns)
    if error.mend.startswith("did"):
        error.mend += f" (columns: {', '.join(columns)})"
    return error


def _known(values: pl.Series) -> pl.Series:
    """The values that are there; a CSV with gaps may have NaN for them."""
    return (values.fill_nan(None) if values.dtype.is_float() else values).drop_nulls()


def _task_of(values: pl.Series) -> tuple[str, str]:
    different = values.n_unique()
    if different < 2:
        what = f"column `{values.name}` has {'one value only' if different else 'no values'}: there is nothing to predict"
        raise UsageError(what, mend="name another column: --label COLUMN")
    if different == 2:
        return "binary", f"two values, {' and '.join(map(_written, values.unique().sort()))}"
    if values.dtype.is_numeric():
        return _task_of_numbers(values.cast(pl.Float64))
    if values.dtype in (pl.String, pl.Categorical, pl.Enum) and different <= MANY:
        return "multiclass", f"{different} different texts"
    kind = f"{different:,} different texts" if values.dtype == pl.String else f"values of type {values.dtype}"
    raise UsageError(
        f"column `{values.name}` has {kind}: no task fits it by itself",
        mend=f"name another column (--label COLUMN), or say what it is: --task {'|'.join(TASKS)}",
    )


def _task_of_numbers(values: pl.Series) -> tuple[str, str]:
    """Few whole numbers that come again and again are classes, also where gaps in a CSV made floats of them; others are amounts."""
    numbers, counts = np.unique(values.to_numpy(), return_counts=True)
    low, high, rarest = float(numbers[0]), float(numbers[-1]), int(counts.min())
    if (numbers != numbers.round()).any():
        return "regression", f"numbers from {_written(low)} to {_written(high)}, not all of them whole"
    said = f"{len(numbers):,} different whole numbers from {_written(low)} to {_written(high)}"
    needed = LEAST_OF_A_CLASS if high - low < len(numbers) else LEAST_WITH_GAPS
    if len(numbers) <= FEW and rarest >= needed:
        return "multiclass", f"{said}, each in {rarest:,} rows or more ({_otherwise('amounts', 'regression')})"
    if len(numbers) <= FEW:
        said += f", the rarest in {rarest:,} row{'s' * (rarest > 1)}"
    return "regression", f"{said} ({_otherwise('classes', 'multiclass')})" if len(numbers) <= MANY else said


def _otherwise(what: str, task: str) -> str:
    return f"if they are {what}: begin again without this {FILE}, and say --task {task}"


def _written(value: object) -> str:
    """A value as a person writes it: a whole number without a point."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def identifier(text: str) -> str:
    """A name that a project, a dataset and a parameter of a function may have.

    >>> identifier("2013 flights (NYC)"), identifier("***")
    ('data_2013_flights_NYC', 'data')
    """
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")
    return plain if re.match(r"[A-Za-z]", plain) else f"data_{plain}".strip("_")


def towpath_yaml(name: str, path: str, found: Guess) -> str:
    """The five lines of a project. ``path`` is relative to it."""
    dataset = _quoted(identifier(path.rsplit("/", 1)[-1].rsplit(".", 1)[0]))
    gates = ", ".join(GATES[found.task])
    return "\n".join(
        (
            f"name: {_quoted(name)}",
            f"data: {{{dataset}: {_quoted(glob.escape(path))}}}",
            f"model: {{task: {found.task}, rows: {dataset}, label: {_quoted(found.label)}}}",
            f"gates: [{gates}]",
            "retrain: {when: [commit, new_rows 10%, drift]}",
            "",
        )
    )


def _quoted(text: str) -> str:
    """A text as YAML reads it back: plain where that is safe, quoted as in JSON elsewhere."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", text) and text.lower() not in ("true", "false", "null")
    return text if plain else json.dumps(text, ensure_ascii=False).replace("${", "$\\u007b")


def ignored(before: str, *paths: str) -> str:
    """A .gitignore that also ignores ``paths``."""
    lines = before.splitlines()
    return "\n".join([*lines, *(path for path in paths if path not in lines), ""])
