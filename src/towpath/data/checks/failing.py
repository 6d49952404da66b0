"""What failed, told: the first file at fault, a few rows of it, and all rows at fault as an object in the store."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

import polars as pl

from towpath.data.checks.measure import Reading, Value, at_fault
from towpath.data.checks.rule import Rule
from towpath.data.checks.table import FILE, ROW
from towpath.data.checks.wording import count, shown, verdict
from towpath.data.snapshot import Part
from towpath.store import Store
from towpath.verdict import Answer, Verdict

EXAMPLES = 5
CHECKS = "towpath_checks"


def of_rules(name: str, readings: Sequence[Reading], parts: Sequence[Part], store: Store | None) -> list[Verdict]:
    """A verdict for each rule that some table fails. All rows at fault are saved as one object, which each of them names."""
    faults = [reading for reading in readings if reading.is_fault]
    looked = list(zip(faults, at_fault(faults), strict=True))
    saved = save(parts, [(reading.rule.gate, rows) for reading, rows in looked], store) if store and looked else ""
    by_rule: dict[int, list[tuple[Reading, pl.DataFrame]]] = {}
    for reading, rows in looked:
        by_rule.setdefault(id(reading.rule), []).append((reading, rows))
    return [_of_rule(name, looked, saved) for looked in by_rule.values()]


def _of_rule(name: str, looked: Sequence[tuple[Reading, pl.DataFrame]], saved: str) -> Verdict:
    (first, bad), frames = looked[0], [rows for _, rows in looked]
    rule, path = first.rule, "" if first.rule.whole else f"{first.table.path}: "
    because = f"{name}: {path}{rule.subject} {rule.how} in {_extent(rule, bad.height, first.among)}, such as {_quoted(rule, bad)}"
    every, among = sum(rows.height for rows in frames), sum(reading.among for reading, _ in looked)
    numbers: dict[str, float] = {"count": every, "rows": among, "files": len(looked)}
    if rule.allowed:
        numbers |= {"share": max(rows.height / reading.among for reading, rows in looked), "limit": rule.allowed}
    return Verdict(
        gate=rule.gate,
        answer=Answer.FAIL,
        because=because + (f" (and {count(every - bad.height, 'row')} of {count(len(looked) - 1, 'more file')})" if looked[1:] else ""),
        numbers={key: float(value) for key, value in numbers.items()},
        examples=tuple(islice(_examples(rule, frames), EXAMPLES)),
        saved=saved,
    )


def unfit(name: str, readings: Sequence[Reading], values: Sequence[Value], told: Collection[str]) -> list[Verdict]:
    """A verdict for each rule and figure that could not be judged; not for columns whose wrong type was ``told`` already."""
    verdicts = []
    answers: list[Reading | Value] = [*readings, *values]
    for one in answers:
        if one.unfit is None or one.unfit.column in told:
            continue
        gate = one.rule.gate if isinstance(one, Reading) else one.figure.gate
        subject = f"{one.table.path}: {one.rule.subject}".removeprefix(": ") if isinstance(one, Reading) else one.figure.what
        verdicts.append(verdict(gate, Answer.ERROR, f"{name}: {subject} cannot be judged: {one.unfit.reason}"))
    return verdicts


def of_figures(name: str, values: Sequence[Value]) -> list[Verdict]:
    """A verdict for each figure that is out of its range, or that a column without values does not have."""
    verdicts = []
    for one in values:
        figure, value = one.figure, one.value
        if value is None and not one.unfit:
            because = f"{name}: {figure.what} cannot be told: no row has a value"
            verdicts.append(verdict(figure.gate, Answer.ERROR, because))
        elif value is not None and not figure.holds(value):
            because = f"{name}: {figure.what} is {figure.shown(value)}, must be {figure.range}"
            limits = {key: limit for key, limit in (("low", figure.low), ("high", figure.high)) if limit is not None}
            verdicts.append(verdict(figure.gate, Answer.FAIL, because, value=value, **limits))
    return verdicts


def _extent(rule: Rule, bad: int, among: int) -> str:
    what = "value" if rule.of_values and rule.allowed else "row"
    extent = f"{bad:,} of {count(among, what)}"
    return f"{extent} ({bad / among:.1%}, at most {rule.allowed:.1%} may be)" if rule.allowed else extent


def _quoted(rule: Rule, rows: pl.DataFrame) -> str:
    row = rows.row(0, named=True)
    place = f"row {row[ROW]:,}" + (f" of {row[FILE]}" if rule.whole else "")
    return f"{_values(rule, row)} in {place}" if rule.shows else place


def _values(rule: Rule, row: dict[str, object]) -> str:
    if len(rule.columns) == 1:
        return shown(row[rule.columns[0]])
    return ", ".join(f"{column} {shown(row[column])}" for column in rule.columns)


def _examples(rule: Rule, rows: Sequence[pl.DataFrame]) -> Iterator[str]:
    for frame in rows:
        for row in frame.head(EXAMPLES).iter_rows(named=True):
            place = f"{row[FILE]} row {row[ROW]:,}"
            yield f"{place}: {_values(rule, row)}" if rule.shows else place


def save(parts: Sequence[Part], faults: Sequence[tuple[str, pl.DataFrame]], store: Store) -> str:
    """Keep every row at fault once, as it was delivered, with its file, its row and the gates that it fails; a Parquet object.

    Args:
        faults: a gate and the file and row of each row that fails it.
    """
    places = pl.concat([rows.select(FILE, ROW, pl.lit(gate).alias(CHECKS)) for gate, rows in faults])
    gates = places.group_by(FILE, ROW).agg(pl.col(CHECKS).unique(maintain_order=True))
    there = [(part.path, part.frame) for part in parts if part.frame is not None]
    frames = [rows for path, frame in there if (rows := _whole(path, frame, gates)).height]
    clashing = {name for frame in frames for name, dtype in frame.schema.items() if _clashes(name, dtype, frames)}
    kept = pl.concat(
        [frame.with_columns(pl.col(name).cast(pl.String) for name in clashing & {*frame.columns}) for frame in frames], how="diagonal"
    )
    data = io.BytesIO()
    kept.write_parquet(data)
    digest = store.put(data.getvalue())
    store.sync()
    return digest


def _whole(path: str, frame: pl.DataFrame, gates: pl.DataFrame) -> pl.DataFrame:
    of_file = gates.filter(pl.col(FILE) == path)
    bare = frame.drop(FILE, ROW, CHECKS, strict=False)  # what was saved once may be data itself
    rows = bare.with_row_index(ROW, offset=1).join(of_file, on=ROW, how="inner", maintain_order="left")
    return rows.select(FILE, ROW, CHECKS, *bare.columns)


def _clashes(name: str, dtype: pl.DataType, frames: Sequence[pl.DataFrame]) -> bool:
    return any(frame.schema.get(name, dtype) != dtype for frame in frames)
