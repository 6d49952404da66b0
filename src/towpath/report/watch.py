"""What the monitors and triggers said, as views. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from towpath import events as ev
from towpath.project import Retrain
from towpath.quantities import written
from towpath.report.columns import aligned
from towpath.report.runs import minute
from towpath.triggers import Decision


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A finding in one line. ``open``: it is about the version that serves."""

    finding: int
    at: datetime
    subject: str
    what: str
    version: int | None
    open: bool
    effect: float
    because: str


class ColumnRow(msgspec.Struct, frozen=True, kw_only=True):
    """A column beside its training: the share of rows that lies elsewhere beyond chance (``effect``), in all, and by chance."""

    column: str
    effect: float
    share: float
    chance: float
    rows: int
    because: str


class Drifted(msgspec.Struct, frozen=True, kw_only=True):
    """The view of `towpath drift`: of ``version`` over its answers since ``start``; ``trouble`` says why there is no table."""

    version: int | None
    start: datetime | None
    rows: int
    columns: tuple[ColumnRow, ...]
    findings: tuple[FindingRow, ...]
    trouble: str = ""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A metric on the answers whose labels are in, beside the same at the version's gates."""

    metric: str
    value: float
    at_gates: float | None


class Monitored(msgspec.Struct, frozen=True, kw_only=True):
    """The view of `towpath monitor`. ``looks`` are what the declared limits said, a sentence each."""

    version: int | None
    answers: int
    labelled: int
    figures: tuple[Figure, ...]
    looks: tuple[str, ...]
    findings: tuple[FindingRow, ...]
    trouble: str = ""


def findings(made: Sequence[ev.FindingMade], times: Sequence[datetime], champion: int | None, subject: str = "") -> tuple[FindingRow, ...]:
    """Findings of one subject, or of all: those about the champion first, the largest effect first."""
    rows = [
        FindingRow(
            finding=one.finding,
            at=at,
            subject=one.subject,
            what=one.what,
            version=one.version,
            open=one.version == champion,
            effect=one.effect,
            because=one.because,
        )
        for one, at in zip(made, times, strict=True)
        if not subject or one.subject == subject
    ]
    return tuple(sorted(rows, key=lambda row: (not row.open, row.subject, -row.effect, row.finding)))


def findings_in_words(rows: Iterable[FindingRow]) -> str:
    """Findings, a line each."""
    lines = [
        (
            str(one.finding),
            minute(one.at),
            one.subject,
            one.what,
            f"version {one.version}" if one.version else "-",
            f"{one.effect:.2f}",
            one.because,
        )
        for one in rows
    ]
    if not lines:
        return "no finding yet"
    head = ("finding", "made", "subject", "what", "of", "effect", "because")
    return aligned([head, *lines], right=[0, 5])


def drift_in_words(one: Drifted, most: int) -> str:
    """The ranking of columns, and what was found."""
    if one.trouble or one.start is None:
        return one.trouble
    cells = [(c.column, f"{c.effect:.1%}", f"{c.share:.1%}", f"{c.chance:.1%}", c.because) for c in one.columns[:most]]
    table = aligned([("column", "effect", "elsewhere", "by chance", "most of it"), *cells], right=[1, 2, 3], indent="  ")
    more = f"\n  and {len(one.columns) - most} more columns (--top)" if len(one.columns) > most else ""
    head = f"version {one.version}, {one.rows:,} rows answered since {minute(one.start)}, beside its training rows:"
    return f"{head}\n{table}{more}\n{findings_in_words(one.findings)}"


def monitored_in_words(one: Monitored) -> str:
    """How right the answers were, and what was found."""
    if one.trouble:
        return one.trouble
    head = f"version {one.version}: {one.answers:,} rows answered, {one.labelled:,} of them with a label that was due"
    cells = [(f.metric, f"{f.value:.4g}", "-" if f.at_gates is None else f"{f.at_gates:.4g}") for f in one.figures]
    table = aligned([("", "in production", "at its gates"), *cells], right=[1, 2], indent="  ") if cells else ""
    looks = "\n".join(f"  limit: {look}" for look in one.looks)
    return "\n".join(part for part in (head, table, looks, findings_in_words(one.findings)) if part)


def rules_in_words(rules: Retrain) -> str:
    """What is declared under `retrain`, in one line.

    >>> rules_in_words(Retrain())
    'a run is started by: commit, new_rows 10%; cooldown 0s; limit 20/week'
    """
    kinds = [f"{rule.kind} {rule.share:.0%}" if rule.kind == "new_rows" else rule.kind for rule in rules.when]
    return f"a run is started by: {', '.join(kinds) or 'commands alone'}; cooldown {written(rules.cooldown)}; limit {rules.limit}"


def decisions_in_words(decisions: Sequence[Decision], rules: Retrain) -> str:
    """Firings and refusals, a line each, under the rules that are declared now."""
    if not decisions:
        return f"{rules_in_words(rules)}\nno trigger has fired or was refused yet: `towpath up` and `towpath turn` look for causes"
    lines = [
        (minute(d.at), d.trigger, f"run {d.run}" if d.run else "refused", d.cause + (f": {d.because}" if d.because else ""))
        for d in decisions
    ]
    return f"{rules_in_words(rules)}\n{aligned([('at', 'trigger', 'decision', 'why'), *lines])}"
