"""Objectives whose best parameters are known; and a process that searches one, to be killed."""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

from towpath.evaluation.names import Direction
from towpath.project_search import Dimension
from towpath.search import Budget, Question, Trial, search
from towpath.search.crews import Local

SPACE = {"x": Dimension(float=(0, 1)), "n": Dimension(int=(1, 10)), "kind": Dimension(choice=("good", "bad"))}
QUESTION = Question(space=SPACE, better=Direction.LOWER, folds=3, pruner="median", seed=7)


def hill(trial: Trial, fold: int) -> float:
    """Lowest at x = 0.3 and the good kind; folds differ a little."""
    told = trial.parameters
    return (told["x"] - 0.3) ** 2 + (0.1 if told["kind"] == "bad" else 0.0) + 0.01 * fold


def slow_hill(trial: Trial, fold: int, *, measured: Path, seconds: float) -> float:
    """Writes down what it measures before and after."""
    with measured.open("a") as file:
        file.write(f"begun {trial.number} {fold}\n")
    time.sleep(seconds)
    value = hill(trial, fold)
    with measured.open("a") as file:
        file.write(f"done {trial.number} {fold}\n")
    return value


def nap(trial: Trial, fold: int) -> float:
    time.sleep(0.1)
    return hill(trial, fold)


def patient(trial: Trial, fold: int, *, place: Path) -> float:
    """Tells in which process it begins, and goes on when it may."""
    (place / f"{trial.number}-{os.getpid()}").touch()
    while not (place / "go").exists():
        time.sleep(0.05)
    return hill(trial, fold)


def deadly(trial: Trial, fold: int) -> float:
    if trial.parameters["kind"] == "bad":
        os.kill(os.getpid(), signal.SIGKILL)
    if trial.parameters["n"] == 2:
        os._exit(3)
    return hill(trial, fold)


def main() -> None:
    """``python -m tests.search.hills LOG MEASURED TRIALS SECONDS SLOTS``"""
    log, measured, trials, seconds, slots = sys.argv[1:]
    objective = partial(slow_hill, measured=Path(measured), seconds=float(seconds))
    crew = {} if slots == "1" else {"crew": partial(Local, slots=int(slots))}
    search(QUESTION, objective, Budget(trials=int(trials)), path=Path(log), **crew)


if __name__ == "__main__":
    main()
