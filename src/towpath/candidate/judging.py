"""From a trained object to a judged candidate: package, parity, profile, gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
from msgspec.structs import replace

from towpath.candidate.sides import Sides
from towpath.digest import Digest
from towpath.errors import TowpathError, UsageError
from towpath.evaluation.baseline import baseline
from towpath.evaluation.uncertainty import standard_errors
from towpath.formats.build import Trained, build, trained_answerer
from towpath.formats.package import Package, unpack
from towpath.formats.parity import explained, parity
from towpath.formats.port import Scores
from towpath.gates import parse
from towpath.gates.evidence import Evidence, figures
from towpath.gates.judge import judge_all
from towpath.labels import raw, times_of
from towpath.monitor import profile as profiles
from towpath.project import Project
from towpath.store import Store
from towpath.verdict import Answer, Verdict

DEFAULT_GATES = {
    "binary": ("auc >= baseline + 0.02", "parity <= 1e-4"),
    "multiclass": ("accuracy >= baseline + 0.02", "parity <= 1e-4"),
    "regression": ("r2 >= baseline + 0.05", "parity <= 1e-4"),
}
WRONG_QUANTILE = 0.9  # of a regression's absolute errors on the holdout: what lies above counts as a wrong answer


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A version to be compared with: its package, or why it cannot be had."""

    package: Package | None = None
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A packaged candidate with everything that was said of it."""

    digest: Digest
    profile: Digest
    verdicts: tuple[Verdict, ...]
    metrics: dict[str, dict[str, float]]
    standard_errors: dict[str, float]
    measured: dict[str, float] = field(default_factory=dict)


def judged(
    project: Project, trained: Trained, rows: Sides, rivals: Mapping[str, Rival | str], store: Store, *, beside: tuple[Verdict, ...] = ()
) -> Judged:
    """Package, measure and judge.

    Args:
        trained: on the rows of ``rows.train``; nothing but the gates has seen those of ``rows.test``.
        rivals: ``champion`` and ``best``, or why there is none.
        beside: verdicts that were given before.
    """
    model, label = project.model, project.model.label.column
    seen, test = rows.train, rows.test
    train_raw, test_raw = raw(seen, project).drop(label), raw(test, project).drop(label)
    ours = trained_answerer(trained, train_raw)
    if model.task == "regression":
        errors = np.abs(ours(test_raw).values[:, 0] - test[label].to_numpy())
        trained = Trained(**{**vars(trained), "wrong_over": float(np.quantile(errors, WRONG_QUANTILE))})
    measured: dict[str, float] = {"rows": float(rows.height)}
    digest = build(store, trained, train_raw)
    package = unpack(store, digest)
    answer = package.answerer()
    measured["parity"] = parity(ours, answer, test_raw).max_difference
    evidence = _evidence(project, package, answer(test_raw), seen, test, rivals, measured)
    texts = project.gates or DEFAULT_GATES[model.task]
    said = judge_all([parse(text, model.task) for text in texts], evidence)
    verdicts = tuple(replace(explained(verdict), gate=text) for verdict, text in zip(said, texts, strict=True))  # as its author wrote it
    profile = store.put(profiles.encode(_profile(project, seen, test, answer(test_raw))))
    store.sync()
    numbers, errors = figures(evidence), _standard_errors(project, evidence, test)
    return Judged(digest=digest, profile=profile, verdicts=(*verdicts, *beside), metrics=numbers, standard_errors=errors, measured=measured)


def _standard_errors(project: Project, evidence: Evidence, test: pl.DataFrame) -> dict[str, float]:
    time, window = _time_and_window(project, test)
    try:
        known = evidence.predictions("candidate")
    except UsageError:
        return {}  # there are no figures either, and every gate says why
    return standard_errors(known, profiles.window_numbers(test[time], window) if time else None)


def _time_and_window(project: Project, rows: pl.DataFrame) -> tuple[str | None, timedelta]:
    """The column of time, where there is one, and over how long a time rows hang together."""
    time = next((name for name in times_of(project) if name in rows.columns), None)
    return time, project.monitor.drift.window if project.monitor.drift else timedelta(days=1)


def _profile(project: Project, seen: pl.DataFrame, test: pl.DataFrame, scores: Scores) -> profiles.Profile:
    time, window = _time_and_window(project, seen)
    return profiles.profile(
        raw(seen, project).drop(project.model.label.column),
        time=seen[time] if time else None,
        window=window,
        scores=pl.Series("score", score_of(scores)) if len(scores.classes) <= 2 else None,
        score_time=test[time] if time else None,
    )


def score_of(scores: Scores) -> Any:
    """The one number that the journal keeps of an answer: P(positive), or the value."""
    return scores.values[:, -1]


def unconverted(fault: TowpathError) -> Verdict:
    """The verdict on a model that has no portable form: it could not be judged, and the reason names the part."""
    return Verdict(gate="package", answer=Answer.ERROR, because=f"{fault.what} (ways on: {fault.mend})")


def _evidence(
    project: Project,
    package: Package,
    candidate: Scores,
    seen: pl.DataFrame,
    test: pl.DataFrame,
    rivals: Mapping[str, Rival | str],
    measured: dict[str, float],
) -> Evidence:
    label = project.model.label.column
    classes = package.manifest.classes
    test_raw = raw(test, project).drop(label)
    scored: dict[str, Any] = {}
    missing, unscored = {}, {}
    for who, rival in rivals.items():
        if isinstance(rival, str):
            missing[who] = rival
            continue
        scores, fault = _rival_scores(rival, test_raw, classes)
        if scores is None:
            unscored[who] = fault
        else:
            scored[who] = scores
    texts = [name for name, dtype in test.schema.items() if dtype == pl.String or dtype == pl.Boolean]
    return Evidence(
        task=project.model.task,
        label=test[label].to_numpy(),
        candidate=candidate.judged,
        baseline=baseline(project.model.task, seen[label].to_numpy(), classes),
        classes=classes,
        slices={name: test[name].to_numpy() for name in test.columns if name in texts or test.schema[name].is_integer()},
        measured=measured,
        missing=missing,
        unscored=unscored,
        seed=project.seed,
        **scored,
    )


def _rival_scores(rival: Rival, rows: pl.DataFrame, classes: tuple[Any, ...]) -> tuple[Any, str]:
    if rival.package is None:
        return None, rival.fault
    try:
        scores = rival.package.answerer()(rows.select(rival.package.manifest.raw.names))
    except (TowpathError, pl.exceptions.ColumnNotFoundError) as fault:
        return None, str(fault).splitlines()[0]
    if scores.classes != classes:
        return None, f"it knows the classes {list(scores.classes)}, the candidate {list(classes)}"
    return scores.judged, ""
