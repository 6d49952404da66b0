"""Whether a run can make nothing new, before any library for tables or models is loaded.

Everything that a version follows from is the same as in an earlier run: the commit and the uncommitted changes, every dataset's files,
what is left out of them, what is installed, the champion, and that no label became due since. Where anything of that cannot be told
cheaply, as of a library that is edited where it lies, the answer is no, and the run finds out for itself.
"""

from __future__ import annotations

from towpath import events as ev
from towpath import holdings
from towpath.data.compare import stands
from towpath.data.manifest import files_of
from towpath.errors import TowpathError
from towpath.pipeline.code.places import places
from towpath.pipeline.distributions import are_released
from towpath.pipeline.loose import imported
from towpath.pipeline.runs import Run
from towpath.project import Project
from towpath.project_search import LIBRARIES
from towpath.release.controller import PRODUCTION
from towpath.run.bench import Bench, Ended
from towpath.state import State

JUDGED = (ev.Outcome.REGISTERED, ev.Outcome.REJECTED, ev.Outcome.HELD)


def stop_if_nothing_changed(bench: Bench) -> None:
    """End the run when an earlier one was made from the very same. Raises Ended."""
    state = bench.records.state()
    if bench.project.trained is None or state.exclusions.all or state.erasures.objects or _looks_around(bench.project):
        return
    now = state.runs.all[bench.number]
    before = next((one for one in reversed(state.runs.all.values()) if _is_like(one, now, state)), None)
    if before and _is_of_releases(bench) and all(_is_as_it_was(bench, name, before) for name in bench.project.data):
        raise unchanged(before)


def unchanged(before: Run) -> Ended:
    """The end of a run that makes nothing new, for an earlier one was made from the same."""
    version = f" in version {before.version}" if before.version else ""
    return Ended(
        ev.Outcome.UNCHANGED, f"nothing it depends on has changed since run {before.number}, which ended{version} as {before.outcome}"
    )


def judged_alike(before: Run, state: State) -> bool:
    """Whether what was said of a run's candidate would be said again: a verdict against another champion might be another now."""
    return before.outcome in JUDGED and (before.champion == state.live.champion(PRODUCTION) or before.outcome is ev.Outcome.REGISTERED)


def _is_like(before: Run, now: Run, state: State) -> bool:
    same = (before.commit, before.patch, before.installed) == (now.commit, now.patch, now.installed)
    return same and now.installed is not None and before.all_labels_due and judged_alike(before, state)


def _looks_around(project: Project) -> bool:
    """Whether a check asks how fresh the data are, or a step is of what may change where it is installed, or in an image."""
    return any(step.version or step.use or step.container for step in project.steps.values()) or any(
        column.fresh for dataset in project.data.values() for column in dataset.checks.columns.values()
    )


def _is_of_releases(bench: Bench) -> bool:
    """Whether what the code imports, and a model is trained with, can be another only by an installation."""
    own, model = places(bench.folder, bench.project.pipeline or ""), bench.project.trained
    outside = {name for name in imported(bench.folder.rglob("*.py")) if not own.file(name)}
    return are_released({"polars", *outside, *(LIBRARIES if model and (model.is_auto or not model.train) else [])})


def _is_as_it_was(bench: Bench, name: str, before: Run) -> bool:
    """Whether a dataset's files are those of an earlier run's snapshot."""
    project, dataset, taken = bench.project, bench.project.data[name], before.snapshots.get(name)
    if taken is None or not dataset.is_here:
        return False
    try:
        files = lambda: files_of(bench.records.store, taken.digest)  # noqa: E731 - asked for only when a file looks touched
        return stands(name, dataset, project.root, holdings.index(project), holdings.settled(project), taken.digest, files)[1].is_same
    except TowpathError:
        return False
