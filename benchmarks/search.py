"""What one trial costs beside the objective: ours, and Optuna by itself with the same sampler, trials and objective.

Ours keeps every trial (a file, a flush a fold, an fsync a trial) and goes on after kill -9; so does Optuna with its journal file or with
SQLite, which is the like of it. In memory it keeps nothing. The objective does nothing, so that all of the time is the search's own.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import optuna
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from benchmarks.frame import Row, main
from towpath.evaluation.names import Direction
from towpath.project_search import Dimension, Sampler
from towpath.search import Budget, Question, Trial, search

TRIALS, FOLDS, TIMES = 100, 5, 5
SPACE = {
    "trees": Dimension(int=(50, 400)),
    "rate": Dimension(float=(0.01, 0.3), log=True),
    "leaves": Dimension(int=(4, 64), log=True),
    "kind": Dimension(choice=("a", "b", "c")),
}


def worth(parameters: dict, fold: int) -> float:
    """Something to find the bottom of."""
    return (
        (parameters["rate"] - 0.1) ** 2 + parameters["trees"] / 1e6 + parameters["leaves"] / 1e5 + (parameters["kind"] == "b") * 0.1 + fold
    )


def ours(sampler: Sampler, path: Path | None) -> None:
    """Our search, with median pruning, from the question to the best parameters."""
    question = Question(space=SPACE, better=Direction.LOWER, folds=FOLDS, sampler=sampler, pruner="median")
    found = search(question, _objective, Budget(trials=TRIALS), path=path)
    assert len(found.trials) == TRIALS


def _objective(trial: Trial, fold: int) -> float:
    return worth(trial.parameters, fold)


def theirs(sampler: Sampler, storage: object) -> None:
    """Optuna's own loop: the objective reports each fold and asks whether it is to be pruned."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kind = optuna.samplers.TPESampler if sampler == "tpe" else optuna.samplers.RandomSampler
    study = optuna.create_study(storage=storage, sampler=kind(seed=0), pruner=optuna.pruners.MedianPruner())
    study.optimize(_reporting, n_trials=TRIALS)
    assert len(study.trials) == TRIALS


def _reporting(trial: optuna.Trial) -> float:
    parameters = {
        "trees": trial.suggest_int("trees", 50, 400),
        "rate": trial.suggest_float("rate", 0.01, 0.3, log=True),
        "leaves": trial.suggest_int("leaves", 4, 64, log=True),
        "kind": trial.suggest_categorical("kind", ["a", "b", "c"]),
    }
    values = []
    for fold in range(FOLDS):
        values.append(worth(parameters, fold))
        trial.report(sum(values) / len(values), fold)
        if fold < FOLDS - 1 and trial.should_prune():
            raise optuna.TrialPruned
    return sum(values) / len(values)


def per_trial(*calls: Callable[[Path], None]) -> list[float]:
    """Median milliseconds a trial of each call, taken in turns, so that a slow minute of the machine falls on all."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(TIMES + 1):
        for call, times in zip(calls, taken, strict=True):
            with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # the disk that a project would lie on
                begin = time.perf_counter()
                call(Path(folder))
                times.append((time.perf_counter() - begin) / TRIALS * 1e3)
    return [median(times[1:]) for times in taken]


def flush_ms() -> float:
    """One fsync of one line."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, Path(folder, "flushed").open("ab") as file:
        took = []
        for _ in range(100):
            begin = time.perf_counter()
            file.write(bytes(100))
            file.flush()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - begin)
    return median(took) * 1e3


def rows() -> Iterator[Row]:
    """For two samplers: with everything kept, and in memory."""
    flush = flush_ms()
    for sampler in ("random", "tpe"):
        kept, memory, journal, sqlite, bare = per_trial(
            lambda folder, sampler=sampler: ours(sampler, folder / "trials.jsonl"),
            lambda folder, sampler=sampler: ours(sampler, None),
            lambda folder, sampler=sampler: theirs(sampler, JournalStorage(JournalFileBackend(str(folder / "journal")))),
            lambda folder, sampler=sampler: theirs(sampler, RDBStorage(f"sqlite:///{folder}/study.db")),
            lambda folder, sampler=sampler: theirs(sampler, None),
        )
        yield Row(
            work=f"{sampler}: a trial of {FOLDS} folds, kept",
            ours=kept,
            unit="ms",
            peers={"Optuna, journal file": journal, "Optuna, SQLite": sqlite},
            bound=f"an fsync: {flush:.2f} ms; Optuna in memory: {bare:.2f} ms",
            goal="cheaper than Optuna where it keeps them",
            holds=kept < min(journal, sqlite),
        )
        yield Row(work=f"{sampler}: the same, in memory", ours=memory, unit="ms", peers={"Optuna, in memory": bare})


if __name__ == "__main__":
    sys.exit(main("search", rows))
