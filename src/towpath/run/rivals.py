"""With what a candidate is compared."""

from __future__ import annotations

from towpath.candidate import Rival
from towpath.errors import TowpathError
from towpath.formats.package import unpack
from towpath.release.controller import PRODUCTION
from towpath.run.bench import Bench
from towpath.state import State


def rivals(bench: Bench, state: State) -> dict[str, Rival | str]:
    """The champion, and the best version that was ever live by the figures of its own gates."""
    champion = state.live.champion(PRODUCTION)
    if champion is None:
        return {"champion": "no champion serves yet", "best": "no version was ever live"}
    best = _best(state, bench.project.model.task)
    return {"champion": _rival(bench, state, champion), "best": _rival(bench, state, best)}


def _best(state: State, task: str) -> int:
    metric, sign = {"regression": ("rmse", -1.0), "multiclass": ("accuracy", 1.0)}.get(task, ("auc", 1.0))

    def worth(number: int) -> float:
        figures = state.registry.version(number).candidate.metrics.get("candidate", {})
        return sign * figures[metric] if metric in figures else float("-inf")

    return max(state.live.ever_live(PRODUCTION), key=worth)


def _rival(bench: Bench, state: State, number: int) -> Rival:
    try:
        return Rival(package=unpack(bench.records.store, state.registry.version(number).digest))
    except TowpathError as fault:
        return Rival(fault=f"version {number}: {fault.what}")
