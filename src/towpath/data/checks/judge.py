"""What the checks say of a dataset: one verdict a gate, each naming dataset, file, column, count and examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from towpath.data.checks import amount, declared, failing, files, pandera_schemas
from towpath.data.checks import suite as suites
from towpath.data.checks.measure import measure
from towpath.data.checks.rule import Faulty
from towpath.data.checks.table import of_file, together
from towpath.data.checks.wording import count, verdict
from towpath.data.facts import Facts
from towpath.data.snapshot import Part
from towpath.errors import UnknownName
from towpath.project import Project
from towpath.project_checks import Checks
from towpath.store import Store
from towpath.verdict import Answer, Verdict


@dataclass(frozen=True, kw_only=True)
class Around:
    """What checks look at besides the dataset's own files.

    ``now`` by the project's clock; ``reference``: the facts of the last accepted version; ``others``: the files of all datasets, for
    foreign keys; ``code``: the folder of the project's modules and suites; ``store``: where rows at fault are saved, if anywhere.
    """

    now: datetime
    reference: Facts | None = None
    others: Mapping[str, Sequence[Part]] = field(default_factory=dict)
    code: Path = Path()
    store: Store | None = None


def of_dataset(project: Project, name: str, parts: Sequence[Part], around: Around) -> tuple[Verdict, ...]:
    """``judge`` for a dataset of the project.

    Raises:
        ProjectError: a check that no data could be held against, with its line in towpath.yaml.
    """
    try:
        return judge(name, project.data[name].checks, parts, around)
    except Faulty as fault:
        raise project.fault("data", name, "checks", *fault.key, what=fault.what, mend=fault.mend) from None


def judge(name: str, checks: Checks, parts: Sequence[Part], around: Around) -> tuple[Verdict, ...]:
    """What the checks say of a dataset's files.

    Args:
        name: of the dataset.
        checks: as declared. What is asked of rows holds for each file on its own, so that one bad delivery does not hide among good
            ones; uniqueness, completeness, figures and bounds of rows hold for all files together.
        parts: the files as they were read.
        around: the time, the reference and the rest. The columns of the reference must be there, each of its type, where nothing else
            is declared; without a reference, all files must agree with most.

    Returns:
        One verdict for reading, rows and columns each, and one or more for each gate. A failing one speaks of the first file at fault,
        counts the others, quotes five rows and names the object that has all of them.

    Raises:
        Faulty: a check that no data could be held against.
    """
    if amount.are_files(parts):
        return amount.of_files(name, checks, parts)
    suite, left_out = suites.of(name, checks, around.code)
    asked = declared.asked(name, [((), checks), *suite], _keys(around), around.now)
    readable = [(part.path, part.frame) for part in parts if part.frame is not None]
    _no_slips(asked, readable, around.reference)
    found, strange = files.agreement(name, asked.columns, asked.types, readable, around.reference)
    readings, values = measure([of_file(path, frame) for path, frame in readable], asked.rules, asked.figures)
    faults = failing.of_rules(name, readings, parts, around.store)
    faults += failing.unfit(name, readings, values, strange) + failing.of_figures(name, values)
    verdicts = [*files.readable(name, parts), *amount.judge(name, checks, parts)]
    for bounds in asked.rows:
        verdicts += files.rows(name, bounds, readable)
    verdicts += [*left_out, *found]
    for gate in asked.gates:
        holds = verdict(gate, Answer.PASS, f"holds in {count(len(readable), 'file')}")
        verdicts += [fault for fault in faults if fault.gate == gate] or [holds]
    if checks.pandera:
        verdicts += pandera_schemas.judge(name, checks.pandera, parts, around.code, around.store)
    return tuple(verdicts)


def _no_slips(asked: declared.Asked, files: Sequence[tuple[str, pl.DataFrame]], reference: Facts | None) -> None:
    """Raises Faulty when a rule needs a column that no file has and none had: that is a slip of the pen, no bad data."""
    known = dict.fromkeys(column for _, frame in files for column in frame.columns) | (
        dict.fromkeys(reference.columns) if reference else {}
    )
    for rule in asked.rules:
        if known and rule.key[0] not in ("columns", "expectations"):
            declared.must_be_there(rule, known)


def _keys(around: Around) -> declared.Keys:
    """The values of ``dataset.column`` among the files that there are."""

    def keys(target: str) -> pl.Series | None:
        dataset, _, column = target.partition(".")
        if dataset not in around.others:
            raise UnknownName("dataset", dataset, around.others)
        frames = [part.frame for part in around.others[dataset] if part.frame is not None]
        tables = [of_file("", frame.select(column)) for frame in frames if column in frame.columns]
        if frames and not tables:
            raise UnknownName(f"column of {dataset}", column, {name for frame in frames for name in frame.columns})
        whole = together(tables, [column]) if tables else None
        return whole.frame.select(pl.col(column).drop_nulls().unique()).collect()[column] if whole and whole.schema else None

    return keys
