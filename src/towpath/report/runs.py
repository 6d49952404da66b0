"""Runs as rows of a table, and one run in full. Pure: from the folded ledger to values, and from those to text."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from towpath.evaluation.names import names
from towpath.pipeline.runs import Run
from towpath.report.columns import aligned
from towpath.report.graph import Node, State, in_words
from towpath.verdict import Verdict

MOST_PARTS = 24
WHO = ("candidate", "champion", "baseline", "best")


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run in one line. ``value`` is the candidate's on the test rows; None where no candidate came about."""

    run: int
    started: datetime
    cause: str
    commit: str
    dirty: bool
    outcome: str
    because: str
    version: int | None
    metric: str
    value: float | None


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one run."""

    row: RunRow
    ended: datetime | None
    candidate: str | None
    parameters: dict[str, Any]
    data: dict[str, dict[str, Any]]
    graph: tuple[Node, ...]
    checks: tuple[Verdict, ...]
    gates: tuple[Verdict, ...]
    metrics: dict[str, dict[str, float]]


def main_metric(task: str, declared: Sequence[str] = ()) -> str:
    """The metric that stands for a version in a table: that of the first gate that names one, else the task's most telling.

    >>> main_metric("binary", ["parity <= 1e-5", "log_loss <= champion"])
    'log_loss'
    """
    known = names(task)
    named = (gate.removeprefix("each(").replace(",", " ").split()[0] for gate in declared if gate.strip())
    return next((name for name in named if name in known), known[0])


def row(run: Run, metric: str) -> RunRow:
    """One run in one line."""
    outcome = run.outcome.value if run.outcome else "lost" if run.lost else "going on"
    return RunRow(
        run=run.number,
        started=run.started,
        cause=run.cause if run.trigger in ("command", "commit") else f"{run.trigger}: {run.cause}",
        commit=run.commit,
        dirty=run.patch is not None,
        outcome=outcome,
        because=run.because,
        version=run.version,
        metric=metric,
        value=run.metrics.get("candidate", {}).get(metric),
    )


def page(run: Run, metric: str, graph: Sequence[Node]) -> RunPage:
    """One run in full. ``graph``: its pipeline."""
    return RunPage(
        row=row(run, metric),
        ended=run.ended,
        candidate=run.candidate,
        parameters=dict(run.parameters),
        data={name: {"rows": s.rows, "files": s.files, "snapshot": s.digest, "content": s.content} for name, s in run.snapshots.items()},
        graph=tuple(graph),
        checks=run.checks,
        gates=run.gates,
        metrics=run.metrics,
    )


def table(rows: Sequence[RunRow]) -> str:
    """Runs as a table, the why as the last column."""
    head = ("run", "started", "commit", "outcome", "version", rows[0].metric if rows else "", "cause", "why")
    return aligned([head, *map(_cells, rows)], right=[0, 4, 5])


def _cells(one: RunRow) -> tuple[str, ...]:
    return (
        str(one.run),
        minute(one.started),
        one.commit[:8] + ("+" if one.dirty else ""),
        one.outcome,
        str(one.version or "-"),
        "-" if one.value is None else f"{one.value:.4g}",
        one.cause,
        one.because.split("\n")[0],
    )


def minute(at: datetime) -> str:
    """A time as tables show it, in UTC."""
    return f"{at:%Y-%m-%d %H:%M}"


def page_in_words(one: RunPage, width: int) -> str:
    """A run's page as text; only its graph minds the width."""
    of = one.row
    tree = f"commit {of.commit[:8]}{' with uncommitted changes' if of.dirty else ''}"
    head = [_ended(of), f"  {of.because}" if of.because else ""]
    facts = [f"  cause      {of.cause}", f"  made from  {tree}", f"  started    {minute(of.started)}"]
    facts += [f"  ended      {minute(one.ended)}"] if one.ended else []
    facts += [f"  candidate  {one.candidate}"] if one.candidate else []
    parts = [data_in_words(one.data), settings_in_words(one.parameters), graph_in_words(one.graph, width)]
    parts += [metrics_in_words(one.metrics), verdicts_in_words("checks", one.checks), verdicts_in_words("gates", one.gates)]
    return "\n".join(line for line in [*head, *facts, *parts] if line)


def _ended(of: RunRow) -> str:
    return f"run {of.run}: {of.outcome}{f' in version {of.version}' if of.version else ''}"


def headed(one: RunPage) -> tuple[str, list[str]]:
    """Title and subtitle of a picture of the run."""
    of = one.row
    made = f"{of.cause} · commit {of.commit[:8]}{'+' if of.dirty else ''} · {minute(of.started)}"
    return _ended(of), [made, *textwrap.wrap(of.because.split("\n")[0], 110)[:2]]


def data_in_words(data: Mapping[str, Mapping[str, Any]]) -> str:
    """The snapshots, a line each."""
    rows = [
        (name, f"{s['rows']:,} rows", f"in {s['files']:,} file{'s' * (s['files'] != 1)}", s["snapshot"][:16]) for name, s in data.items()
    ]
    return f"data\n{aligned(rows, right=[1], indent='  ')}" if rows else ""


def settings_in_words(parameters: Mapping[str, Any]) -> str:
    """The hyperparameters, a line each."""
    return f"parameters\n{aligned([(name, str(value)) for name, value in parameters.items()], indent='  ')}" if parameters else ""


def graph_in_words(graph: Sequence[Node], width: int) -> str:
    """The pipeline, a line a part; how many parts there are, where that is more than a page has room for."""
    if len(graph) > MOST_PARTS:
        counts = Counter(node.state for node in graph)
        return f"pipeline\n  {', '.join(f'{counts[state]:,} {state}' for state in State if counts[state])}: `--graph` shows all"
    return "\n".join(["pipeline", *(f"  {line}" for line in in_words(graph, width - 2).split("\n"))]) if graph else ""


def metrics_in_words(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """A table: a line a metric, a column each for candidate, champion, baseline and best, where there was one."""
    who = [name for name in WHO if metrics.get(name)]
    if not who:
        return ""
    wanted = list(dict.fromkeys(metric for name in who for metric in metrics[name]))
    body = [(metric, *(_figure(metrics[name].get(metric)) for name in who)) for metric in wanted]
    return f"metrics on the test rows\n{aligned([('', *who), *body], right=range(1, len(who) + 1), indent='  ')}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def verdicts_in_words(title: str, verdicts: Sequence[Verdict]) -> str:
    """Verdicts, a line each: what was said, by which rule, and why."""
    lines = [(verdict.answer.value, verdict.gate, verdict.because) for verdict in verdicts]
    return f"{title}\n{aligned(lines, indent='  ')}" if lines else ""
