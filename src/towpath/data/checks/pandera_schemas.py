"""Pandera schemas in a module of the project, named as the datasets are; held against each file, on Polars or pandas."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

from towpath.data.checks.failing import EXAMPLES, save
from towpath.data.checks.rule import Faulty
from towpath.data.checks.table import FILE, ROW
from towpath.data.checks.wording import count, others, short, verdict
from towpath.data.snapshot import Part
from towpath.errors import UsageError
from towpath.pipeline.code.places import places
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.importing import Imports
from towpath.store import Store
from towpath.verdict import Answer, Verdict

_KEY = ("pandera",)
_CASES = {"column": pl.String, "check": pl.String, "value": pl.String, ROW: pl.UInt32}


def judge(name: str, module: str, parts: Sequence[Part], code: Path, store: Store | None) -> list[Verdict]:
    """What the schema of dataset ``name`` says: a verdict for each of its checks that fails, or one that it holds.

    Raises:
        Faulty: there is no such module in ``code``, or no schema of that name in it.
        UsageError: pandera is not installed.
        StepFailed: the module cannot be imported.
    """
    schema = _schema(name, module, code)
    cases = {part.path: _cases(schema, part.frame, code) for part in parts if part.frame is not None}
    failed = [frame.with_columns(pl.lit(path).alias(FILE)) for path, frame in cases.items() if frame.height]
    if not failed:
        return [verdict(f"{name}: {module}", Answer.PASS, f"the schema holds in {count(len(cases), 'file')}", files=len(cases))]
    gates = pl.concat(failed).partition_by("column", "check", maintain_order=True)
    named = [(f"{name}: {module} {_column(frame)} {frame['check'][0]}".replace("  ", " "), frame) for frame in gates]
    rows = [(gate, frame.filter(pl.col(ROW).is_not_null())) for gate, frame in named]
    saved = save(parts, rows, store) if store and any(frame.height for _, frame in rows) else ""
    heights = {part.path: part.frame.height for part in parts if part.frame is not None}
    return [_verdict(name, gate, frame, heights, saved) for gate, frame in named]


def _column(cases: pl.DataFrame) -> str:
    return str(cases["column"][0] or "")


def _verdict(name: str, gate: str, cases: pl.DataFrame, heights: dict[str, int], saved: str) -> Verdict:
    paths = cases[FILE].unique(maintain_order=True).to_list()
    first = cases.filter(pl.col(FILE) == paths[0])
    subject = f"column {_column(cases)} fails" if _column(cases) else "the table fails"
    row, value = first[ROW][0], first["value"][0]
    because = f"{name}: {paths[0]}: {subject} `{cases['check'][0]}`"
    if row is None:
        because += f": {value}"
    else:
        because += f" in {first.height:,} of {count(heights[paths[0]], 'row')}, such as {short(str(value))} in row {row:,}"
    placed = cases.filter(pl.col(ROW).is_not_null()).head(EXAMPLES)
    return Verdict(
        gate=gate,
        answer=Answer.FAIL,
        because=because + others(paths),
        numbers={"count": float(first.height), "rows": float(heights[paths[0]]), "files": float(len(paths))},
        examples=tuple(f"{one[FILE]} row {one[ROW]:,}: {short(str(one['value']))}" for one in placed.iter_rows(named=True)),
        saved=saved if placed.height else "",
    )


def _schema(name: str, module: str, code: Path) -> Any:
    """The module's schema for a dataset: of its name, where case and underscores do not count, so that a class may be it."""
    relative = module.replace(".", "/") + ".py"
    if not (code / relative).is_file():
        raise Faulty(_KEY, f"there is no module {module} in the project", mend=f"make {relative}, or name the module of your schemas")
    try:
        found = vars(Imports(places(code, relative), module).load(module))
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] != "pandera":
            raise StepFailed.of("import", fault, code) from fault
        raise UsageError(f"pandera is not installed: {relative} imports it", mend="pip install 'towpath[pandera]'") from None
    except Exception as fault:  # whatever the user's file raises is theirs to mend
        raise StepFailed.of("import", fault, code) from fault
    schemas = {key: one for key, value in found.items() if (one := _as_schema(value)) is not None}
    match = next((one for key, one in schemas.items() if _plain(key) == _plain(name)), None)
    if match is None:
        there = ", ".join(schemas) or "no schema"
        raise Faulty(_KEY, f"{relative} has no schema called {name}", mend=f"name a schema as the dataset is named; there is: {there}")
    return match


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _as_schema(value: Any) -> Any:
    """A schema of pandera's, made from its model where it is one; None for anything else."""
    module = type(value).__module__ if not isinstance(value, type) else ""
    if module.startswith("pandera.") and hasattr(value, "validate"):
        return value
    is_model = isinstance(value, type) and not value.__module__.startswith("pandera.") and hasattr(value, "to_schema")
    return value.to_schema() if is_model else None


def _cases(schema: Any, frame: pl.DataFrame, code: Path) -> pl.DataFrame:
    """What fails: column, check, value and, where it is a row's, the row (from 1)."""
    table = frame.to_pandas() if ".pandas." in type(schema).__module__ else frame
    try:
        schema.validate(table, lazy=True)
    except import_module("pandera.errors").SchemaErrors as fault:
        found = fault.failure_cases
    except Exception as fault:  # a check of the user's may raise anything
        raise StepFailed.of("checks", fault, code) from fault
    else:
        return pl.DataFrame(schema=_CASES)
    rows = zip(*(list(found[key]) for key in ("schema_context", "column", "check", "failure_case", "index")), strict=True)
    cases = pl.DataFrame([_case(*row) for row in rows], schema=_CASES, orient="row")
    of_table = pl.col("column").is_null() & pl.col(ROW).is_not_null()  # pandas tells each column of a row that fails
    return cases.filter(~of_table | pl.struct("column", "check", ROW).is_first_distinct())


def _case(context: str, column: Any, check: Any, value: Any, index: Any) -> tuple[Any, ...]:
    return (
        None if context == "DataFrameSchema" else _text(column),
        _text(check),
        _text(value),
        None if index is None or index != index else int(index) + 1,
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
