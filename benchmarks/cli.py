"""How long a person waits for the first screen: a whole process, from start to end."""

from __future__ import annotations

import shutil
import sys

from benchmarks.frame import Row, main, seconds_of

GOAL_S = 0.15


def rows() -> list[Row]:
    """The first screen, beside a bare Python and the first screens of others that are installed."""
    python = seconds_of([sys.executable, "-c", "pass"])
    others = {name: seconds_of([name, "--help"], 5) for name in ("dvc", "mlflow", "zenml", "prefect") if shutil.which(name)}
    bound = f"python -c pass: {python:.3f}"
    first = seconds_of([sys.executable, "-m", "towpath", "--help"])
    one = seconds_of([sys.executable, "-m", "towpath", "init", "--help"], 5)
    return [
        Row(work="towpath --help", ours=first, unit="s", peers=others, bound=bound, goal=f"< {GOAL_S} s", holds=first < GOAL_S),
        Row(work="towpath init --help (imports its module)", ours=one, unit="s", bound=bound),
    ]


if __name__ == "__main__":
    sys.exit(main("cli", rows))
