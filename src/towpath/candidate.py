"""From labelled rows to a judged candidate: split, train, package, parity, gates. A library call, without a ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from msgspec.structs import replace

from towpath.digest import Digest, of_value
from towpath.errors import TowpathError, UsageError
from towpath.evaluation import Groups, Last, Random, Way
from towpath.evaluation.baseline import baseline
from towpath.evaluation.splits import split
from towpath.evaluation.uncertainty import standard_errors
from towpath.formats.build import FeaturesCode, Trained, build, trained_answerer, training_rows
from towpath.formats.frames import kind_of
from towpath.formats.package import Package, unpack
from towpath.formats.parity import explained, parity
from towpath.formats.port import Scores
from towpath.gates import parse
from towpath.gates.evidence import Evidence, figures
from towpath.gates.judge import judge_all
from towpath.labels import raw, times_of
from towpath.monitor import profile as profiles
from towpath.pipeline.default_model import default_model
from towpath.pipeline.fingerprint import fingerprint, surroundings, versions
from towpath.pipeline.functions import Function, named
from towpath.pipeline.reach import Project as Code
from towpath.pipeline.reach import Reached
from towpath.pipeline.train import fit, parameters_of, seed_of
from towpath.project import Holdout, Project
from towpath.project_fields import plain
from towpath.store import Store
from towpath.verdict import Answer, Verdict

DEFAULT_GATES = {
    "binary": ("auc >= baseline + 0.02", "parity <= 1e-4"),
    "multiclass": ("accuracy >= baseline + 0.02", "parity <= 1e-4"),
    "regression": ("r2 >= baseline + 0.05", "parity <= 1e-4"),
}
WRONG_QUANTILE = 0.9  # of a regression's absolute errors on the holdout: what lies above counts as a wrong answer


@dataclass(frozen=True)
class Source:
    """The user's code: functions by name, and the tree that they were loaded from."""

    functions: Mapping[str, Function]
    code: Code | None
    root: Path

    def reach(self, name: str | None) -> Reached:
        """What a function can reach; nothing where none is named."""
        return self.code.reach(name) if self.code and name else Reached({}, frozenset(), ())


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


def holdout(project: Project) -> Way:
    """The declared way to set test rows aside."""
    declared: Holdout = project.split.test
    if declared.last:
        times = times_of(project)
        if not times:
            raise project.fault(
                "split", "test", what="`last` needs a time, and no dataset has one", mend="add `time: COLUMN` to the dataset"
            )
        return Last(times[0], declared.last)
    return Groups(declared.groups, declared.share) if declared.groups else Random(declared.random or 0.2, declared.stratify)


def recipe(project: Project, source: Source, content: Digest) -> Digest:
    """Digest of everything that a candidate and its verdicts follow from."""
    model = project.model
    made_by = {
        name: fingerprint(source.reach(name), parameters={}, inputs={}, seed=project.seed) for name in (model.features, model.train) if name
    }
    declared = {"name": project.name, "model": plain(model), "split": plain(project.split), "gates": project.gates, "seed": project.seed}
    return of_value(
        {
            "rows": content,
            "code": made_by,
            "declared": declared,
            "surroundings": surroundings(),
            "with": versions(["sklearn", "polars", "onnx"]),
        }
    )


def features_code(project: Project, source: Source) -> FeaturesCode | None:
    """The declared `features` function with the sources that it needs."""
    name = project.model.features
    if not name or not source.code:
        return None
    named(dict(source.functions), name)
    return FeaturesCode(module=source.code.pipeline.name, function=name, files=source.code.slice(name))


def train(project: Project, source: Source, rows: pl.DataFrame) -> Trained:
    """Train on rows with labels; what comes out, before it is packaged."""
    model, features = project.model, features_code(project, source)
    seen = training_rows(raw(rows, project), model.label.column, features)
    seed = seed_of(project.name, model.train or "model", project.seed)
    if model.train:
        function = named(dict(source.functions), model.train)
        fitted = fit(function, seen, parameters_of(function, model.parameters), seed=seed, root=source.root)
        kind = kind_of(function)
    elif model.parameters:
        what = f"parameters are declared ({', '.join(model.parameters)}), and no function takes them"
        raise project.fault("model", "parameters", what=what, mend="name the function under `model.train`, or drop the parameters")
    else:
        fitted, kind = default_model(seen, model.label.column, model.task, seed), "polars"
    return Trained(model=fitted, task=model.task, label=model.label.column, kind=kind, features=features)


def parameters(project: Project, source: Source) -> dict[str, Any]:
    """The hyperparameters that training will use."""
    name = project.model.train
    return parameters_of(named(dict(source.functions), name), project.model.parameters) if name else dict(project.model.parameters)


def make(project: Project, source: Source, rows: pl.DataFrame, rivals: Mapping[str, Rival | str], store: Store) -> Judged:
    """Split, train, package, measure and judge.

    Args:
        rows: with labels; the holdout is taken from them here and shown to nothing but the gates.
        rivals: ``champion`` and ``best``, or why there is none.
    """
    model, label = project.model, project.model.label.column
    seen, test = split(rows, holdout(project), seed=project.seed)
    trained = train(project, source, seen)
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
    return Judged(digest=digest, profile=profile, verdicts=verdicts, metrics=numbers, standard_errors=errors, measured=measured)


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
        candidate=_values(candidate),
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
    return _values(scores), ""


def _values(scores: Scores) -> Any:
    return scores.values if scores.classes else scores.values[:, 0]
